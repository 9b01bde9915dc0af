import type { EventRow, Json } from '../rows.ts'
import { tooMany } from './rate-limiter.ts'
import type { RateLimits } from './rate-limits.ts'
import { RateWindows } from './rate-window.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/**
 * What requests may do to one subscription in wall time. Renewals do not count: nobody asked for them.
 * https://docs.stripe.com/rate-limits
 */
export class SubscriptionLimits {
  readonly #invoices: readonly RateWindows[]
  readonly #quantities: readonly RateWindows[]

  constructor(limits: RateLimits) {
    this.#invoices = [
      new RateWindows(limits.subscriptionInvoicesPerMinute, MINUTE_MS),
      new RateWindows(limits.subscriptionInvoicesPerDay, 24 * HOUR_MS),
    ]
    this.#quantities = [new RateWindows(limits.subscriptionQuantitiesPerHour, HOUR_MS)]
  }

  /** Called inside a transaction with its events: what is too much takes it back whole. */
  check(events: readonly EventRow[], nowMs: number): void {
    for (const event of events) {
      if (event.request.id === null) continue
      const subscription = invoicedBy(event)
      if (subscription !== undefined) count(this.#invoices, subscription, nowMs)
      if (changesQuantity(event)) count(this.#quantities, event.data.object.id as string, nowMs)
    }
  }
}

function count(limits: readonly RateWindows[], subscription: string, nowMs: number): void {
  const windows = limits.map((limit) => limit.of(subscription))
  if (!windows.every((window) => window.hasRoom(nowMs))) throw tooMany('resource-specific')
  for (const window of windows) window.take(nowMs)
}

/** The subscription that a new invoice belongs to. */
function invoicedBy({ type, data }: EventRow): string | undefined {
  if (type !== 'invoice.created') return undefined
  const parent = data.object.parent as { subscription_details?: { subscription?: string } | null } | null
  return parent?.subscription_details?.subscription
}

function changesQuantity({ type, data }: EventRow): boolean {
  if (type !== 'customer.subscription.updated') return false
  const before = quantities(data.previous_attributes)
  const after = quantities(data.object)
  return [...before].some(([item, quantity]) => after.has(item) && after.get(item) !== quantity)
}

function quantities(subscription: Json | undefined): Map<string, unknown> {
  const items = subscription?.items as { data?: { id: string; quantity?: number }[] } | undefined
  return new Map((items?.data ?? []).map((item) => [item.id, item.quantity]))
}
