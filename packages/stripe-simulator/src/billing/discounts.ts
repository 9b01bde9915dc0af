import type { CouponRow, DiscountRow, InvoiceRow, LineRow, SubscriptionItemRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { Reduction } from './totals.ts'

/**
 * What is taken off an invoice: discounts of single lines first, "a percent applies to what is left", then
 * those of the invoice. https://docs.stripe.com/billing/subscriptions/coupons
 */
export function invoiceReductions(
  world: World,
  lines: readonly LineRow[],
  discounts: readonly string[],
  currency: string,
): Reduction[] {
  const own = [...new Set(lines.flatMap((line) => line.discounts as string[]))]
  const first = own.length === 0 ? [] : reductionsOf(world, own, currency)
  const rest = reductionsOf(world, discounts, currency)
  return [...first.map((reduction) => ({ ...reduction, ofLines: true })), ...rest]
}

/** The reductions that discounts make, in their order. */
export function reductionsOf(world: World, discounts: readonly string[], currency: string): Reduction[] {
  return discounts.flatMap((id) => {
    const discount = world.discounts.get(id)
    const coupon = world.coupons.get(discount?.own.coupon)
    if (coupon === undefined) return []
    const off = amountOff(coupon, currency)
    // Refused when it is redeemed, unless a customer's discount is inherited: it takes off nothing here.
    if (coupon.amount_off !== null && off === null) return []
    return [
      {
        discount: id,
        percentOff: coupon.own.percent,
        amountOff: off,
        products: coupon.own.products,
      },
    ]
  })
}

/** What a coupon takes off in a currency, in its minor unit; null for a percentage and in other currencies. */
export function amountOff(
  { currency: own, amount_off: off, own: { amounts } }: CouponRow,
  currency: string,
): number | null {
  return own === currency ? off : (amounts?.[currency] ?? null)
}

/** Discounts that still run for a subscription; without its own it inherits the customer's. */
export function runningDiscounts(
  world: World,
  own: readonly string[],
  customer: string,
  at: number,
): string[] {
  const ids = own.length > 0 ? own : customerDiscounts(world, customer)
  return ids.filter((id) => {
    const discount = world.discounts.get(id)
    return discount !== undefined && !discount.own.used && (discount.end === null || discount.end > at)
  })
}

/** The customer's own discounts, which are not a subscription's. */
function customerDiscounts(world: World, customer: string): string[] {
  return world.discounts
    .by('customer', customer)
    .flatMap((row) =>
      row.subscription === null && row.invoice === null && row.invoice_item === null ? [row.id] : [],
    )
}

/** A `once` discount is used up by the first invoice that has an amount. */
export function useOnce(world: World, invoice: InvoiceRow): void {
  if (invoice.subtotal <= 0) return
  const ofLines = invoice.own.lines.flatMap((line) => line.discounts as string[])
  const once = [...new Set([...(invoice.discounts as string[]), ...ofLines])].filter((id) => {
    const discount = world.discounts.get(id)
    return discount?.invoice === null && world.coupons.get(discount.own.coupon)?.duration === 'once'
  })
  dropDiscounts(world, invoice.own.subscription, once)
  const left = world.subscriptions.get(invoice.own.subscription)
  // During creation the one event is `customer.subscription.created`.
  if (once.length > 0 && left !== undefined && !left.own.creating) {
    world.emit('customer.subscription.updated', left)
  }
}

/** Takes discounts whose months are over off the subscription. */
export function dropEnded(world: World, subscription: string, at: number): void {
  const ofItems = world.subscriptionItems.by('subscription', subscription).flatMap((item) => item.discounts)
  const ended = [...world.subscriptions.must(subscription).discounts, ...ofItems].filter((id) => {
    const end = world.discounts.get(id as string)?.end
    return end != null && end <= at
  }) as string[]
  dropDiscounts(world, subscription, ended)
}

/** "Occurs whenever a coupon is removed." https://docs.stripe.com/api/events/types#event_types-customer.discount.deleted */
export function endDiscount(world: World, discount: DiscountRow): void {
  if (discount.own.used) return
  const gone = world.discounts.patch(discount.id, { own: { ...discount.own, used: true } })
  world.emit('customer.discount.deleted', gone)
}

/** Ends what a change of the subscription took off it: neither it, nor an item, nor what is held for it names it. */
export function endTakenOff(world: World, id: string): void {
  const { customer, discounts, own } = world.subscriptions.must(id)
  const items = [...world.subscriptionItems.by('subscription', id), ...(own.held?.items ?? [])]
  const named = new Set(
    [discounts, own.held?.fields.discounts ?? [], ...items.map((item) => item.discounts)].flat(),
  )
  for (const discount of world.discounts.by('customer', customer as string)) {
    if (discount.subscription === id && !named.has(discount.id)) endDiscount(world, discount)
  }
}

/** Ends what an invoice, a line of it or an invoice item had for itself and has no more. */
export function endReplaced(
  world: World,
  owner: string,
  had: readonly unknown[],
  has: readonly unknown[],
): void {
  for (const id of had) {
    if (has.includes(id)) continue
    const discount = world.discounts.must(id as string)
    if (discount.invoice === owner || discount.invoice_item === owner) endDiscount(world, discount)
  }
}

/** Ends discounts, and takes them off the subscription and its items. */
export function dropDiscounts(world: World, subscription: string | null, ids: readonly string[]): void {
  if (ids.length === 0) return
  for (const id of ids) endDiscount(world, world.discounts.must(id))
  const row = world.subscriptions.get(subscription)
  // What has ended stays as its last event told it.
  if (row === undefined || row.ended_at !== null) return
  for (const item of world.subscriptionItems.by('subscription', row.id)) dropFrom(world, item, ids)
  world.subscriptions.patch(row.id, { discounts: row.discounts.filter((id) => !ids.includes(id)) })
}

function dropFrom(world: World, item: SubscriptionItemRow, ids: readonly string[]): void {
  const discounts = item.discounts.filter((id) => !ids.includes(id as string))
  if (discounts.length < item.discounts.length) world.subscriptionItems.patch(item.id, { discounts })
}
