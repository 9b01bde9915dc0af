import { matchesType } from '../resources/events.ts'
import type { WebhookEndpointRow } from '../rows.ts'

/** Whether an endpoint asked for events of a type. */
export function wants(endpoint: WebhookEndpointRow, type: string): boolean {
  return endpoint.enabled_events.some((pattern) => matchesType(pattern, type))
}

/** One that is disabled is told nothing. */
export function isTold(endpoint: WebhookEndpointRow, type: string): boolean {
  return endpoint.status === 'enabled' && wants(endpoint, type)
}
