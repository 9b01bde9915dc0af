import { sendUsageEvents } from '@lockstep/api/usage-events'
import type { Usage } from '../../usage/usage.ts'
import { type App, route } from '../route.ts'

/** Usage comes in here. */
export function usageEventRoutes(app: App, { usage }: { readonly usage: Usage }): void {
  route(
    app,
    sendUsageEvents,
  )(async ({ body, headers, query }) => ({
    status: 200,
    body: await (query.dryRun ? usage.foresee : usage.take)(body, headers),
  }))
}
