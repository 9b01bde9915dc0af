import type { LineRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { invoiceItemLine } from './lines.ts'

/**
 * The pending items that an invoice of this subscription takes: its own, and the customer's that name no
 * subscription; newest first. An item in another currency waits.
 * https://docs.stripe.com/api/invoiceitems
 */
export function takePending(
  world: World,
  customer: string,
  subscription: string | null,
  currency: string,
): { item: string; line: LineRow }[] {
  return (
    world.invoiceItems
      .by('pending', customer)
      .filter(
        (item) =>
          item.currency === currency &&
          (item.own.subscription === null || item.own.subscription === subscription),
      )
      // What was made in the same second keeps its order: the credit of a change before its debit.
      .sort((a, b) => b.date - a.date)
      .slice(0, 250)
      .map((item) => ({ item: item.id, line: invoiceItemLine(world, item) }))
  )
}

/** Whether an invoice of the subscription would take anything. */
export function hasPending(world: World, { customer, id, currency }: SubscriptionRow): boolean {
  return world.invoiceItems
    .by('pending', customer)
    .some(
      (item) =>
        item.currency === currency && (item.own.subscription === null || item.own.subscription === id),
    )
}
