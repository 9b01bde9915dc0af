import type { Provider } from '../provider/stripe/account.ts'
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
  /** Whose it is, where it says so. */
  readonly account: unknown
}

/**
 * The account that an event is of, where it names one. One of a connected account has it in `account`; `context`, of thin
 * ones all there is, says whose object it is to ask for: ours too, where an endpoint of our organization gets it.
 * https://docs.stripe.com/changelog/basil/2025-04-30/additional-context-organization-events
 */
export function accountOf(event: { readonly account?: unknown; readonly context?: unknown }): unknown {
  return event.account ?? event.context
}

/** Null for an event that is looked at. */
export function setAside(
  event: Addressed,
  { account, livemode }: Pick<Provider, 'account' | 'livemode'>,
): SetAside | null {
  if (event.livemode !== livemode) return { state: 'ignored', outcome: 'other_mode' }
  if (event.account !== undefined && event.account !== null && event.account !== account) {
    return { state: 'ignored', outcome: 'other_account' }
  }
  const handler = handlerOf(event.type)
  if (handler === undefined) return { state: 'ignored', outcome: 'unhandled_type' }
  // About an object without an id there is nothing to look at.
  return handler.does === 'record' || event.objectId === ''
    ? { state: 'processed', outcome: 'recorded' }
    : null
}
