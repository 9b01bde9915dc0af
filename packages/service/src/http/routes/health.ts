import { readHealth, readMetrics, readReadiness } from '@lockstep/api/health'
import type { Metrics } from '../../metrics.ts'
import type { Readiness } from '../../readiness.ts'
import { type App, route } from '../route.ts'

/** Whether the process lives, whether it can work, and its figures. */
export function healthRoutes(
  app: App,
  { metrics, readiness }: { metrics: Metrics; readiness: () => Promise<Readiness> },
): void {
  route(app, readHealth)(async () => ({ status: 200, body: { status: 'ok' } }))

  route(
    app,
    readReadiness,
  )(async () => {
    const body = await readiness()
    return { status: body.status === 'ready' ? 200 : 503, body }
  })

  route(app, readMetrics)(async () => ({ status: 200, body: await metrics.registry.metrics() }))
}
