import type { readinessOf } from '../readiness.ts'
import type { ServiceParts } from '../service-parts.ts'
import type { App } from './route.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { healthRoutes } from './routes/health.ts'

export interface RouteParts extends ServiceParts {
  readonly readiness: ReturnType<typeof readinessOf>
  readonly forgetKeys: () => void
}

/** What every process answers, whatever its role. */
export function registerHealth(app: App, parts: RouteParts): void {
  healthRoutes(app, parts)
}

/** Every route of the API: the index of what can be asked of the service. */
export function registerRoutes(app: App, parts: RouteParts): void {
  apiKeyRoutes(app, parts)
}
