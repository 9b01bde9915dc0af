import type { SetAside } from '../store/provider-events.ts'
import type { Handler, Handlers, Looking } from './handler.ts'
import { catalogHandlers } from './handlers/catalog.ts'
import { checkoutHandlers } from './handlers/checkout.ts'
import { customerHandlers } from './handlers/customer.ts'
import { entitlementHandlers } from './handlers/entitlement.ts'
import { invoiceHandlers } from './handlers/invoice.ts'
import { paymentHandlers } from './handlers/payment.ts'
import { subscriptionHandlers } from './handlers/subscription.ts'
import { testClockHandlers } from './handlers/test-clock.ts'

/** Every kind of event that we know; a webhook endpoint has to send these. What else comes is kept as ignored. */
export const handlers: Handlers = {
  ...customerHandlers,
  ...catalogHandlers,
  ...subscriptionHandlers,
  ...invoiceHandlers,
  ...paymentHandlers,
  ...checkoutHandlers,
  ...entitlementHandlers,
  ...testClockHandlers,
}

export function handlerOf(type: string): Handler | undefined {
  return Object.hasOwn(handlers, type) ? handlers[type] : undefined
}

/** The handler of an event that waits: only those that are looked at do. */
export function lookingHandlerOf(type: string): Looking | undefined {
  const handler = handlerOf(type)
  return handler?.does === 'look' ? handler : undefined
}

/** What decides whether an event is looked at. */
export interface Addressed {
  readonly type: string
  readonly objectId: string
  readonly livemode: boolean
  /** Only events of connected accounts name one. */
  readonly account: unknown
}

/** The connected account that an event is of; a thin one calls it its context. https://docs.stripe.com/api/v2/core/events/object */
export function accountOf(event: { readonly account?: unknown; readonly context?: unknown }): unknown {
  return event.account ?? event.context
}

/** Null for an event that is looked at. */
export function setAside(event: Addressed, { livemode }: { readonly livemode: boolean }): SetAside | null {
  if (event.livemode !== livemode) return { state: 'ignored', outcome: 'other_mode' }
  if (event.account !== undefined && event.account !== null) {
    return { state: 'ignored', outcome: 'other_account' }
  }
  const handler = handlerOf(event.type)
  if (handler === undefined) return { state: 'ignored', outcome: 'unhandled_type' }
  // About an object without an id there is nothing to look at.
  return handler.does === 'record' || event.objectId === ''
    ? { state: 'processed', outcome: 'recorded' }
    : null
}
