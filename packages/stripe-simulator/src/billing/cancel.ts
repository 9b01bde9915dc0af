import type { InvoiceRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { finalInvoice } from './due.ts'
import { endSubscription } from './end.ts'
import { itemsOf } from './periods.ts'
import { creditUnused } from './prorate.ts'

export interface Cancellation {
  readonly prorate: boolean
  readonly invoiceNow: boolean
  readonly details: Partial<NonNullable<SubscriptionRow['cancellation_details']>>
}

/**
 * Ends a subscription now. `prorate` credits what is left of the period, `invoiceNow` bills what is
 * pending, by a draft that waits its hour as that of a planned end does (as recorded); with neither, pending prorations are
 * dropped. https://docs.stripe.com/api/subscriptions/cancel
 */
export function cancelNow(
  world: World,
  id: string,
  { prorate, invoiceNow, details }: Cancellation,
): InvoiceRow | null {
  const subscription = world.subscriptions.must(id)
  const now = world.now(subscription.own.clock)
  if (prorate && subscription.status !== 'trialing') {
    for (const item of itemsOf(world, id)) creditUnused(world, subscription, item, now)
  }
  const pending = world.invoiceItems
    .by('pending', subscription.customer)
    .filter((item) => item.own.subscription === id)
  if (!prorate && !invoiceNow) {
    for (const item of pending) {
      if (!item.proration) continue
      world.invoiceItems.delete(item.id)
      world.emit('invoiceitem.deleted', item)
    }
  }
  // What was used up to and with this second is on it.
  const final = invoiceNow ? finalInvoice(world, id, now, now + 1) : null
  world.subscriptions.patch(id, {
    cancellation_details: {
      comment: null,
      feedback: null,
      feedback_option: null,
      reason: null,
      ...subscription.cancellation_details,
      ...details,
    },
  })
  endSubscription(world, id, { reason: 'cancellation_requested', asked: true, except: final?.id })
  return final
}
