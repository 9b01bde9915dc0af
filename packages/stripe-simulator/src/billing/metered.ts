import type { InvoiceItemRow, LineRow, PriceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { roundPicos } from '../rules/decimal.ts'
import { priceAmount, priceParts } from '../rules/pricing.ts'
import type { World } from '../world.ts'
import { itemLine } from './lines.ts'
import { itemsOf, termsOf } from './periods.ts'
import { billedQuantity } from './usage.ts'

export function isMetered(price: PriceRow): boolean {
  return price.recurring?.usage_type === 'metered'
}

/** The metered items of a subscription, in the order they were added. */
export function meteredItems(world: World, subscription: string): SubscriptionItemRow[] {
  return itemsOf(world, subscription).filter((item) => isMetered(world.prices.must(item.own.price)))
}

/** Since when usage has not been billed: the start of the period, or something later that billed or began it. */
export function usageStart(item: SubscriptionItemRow): number {
  return Math.max(item.current_period_start, item.own.usageFrom ?? item.current_period_start)
}

/** What a metered item used up to `end`, exclusive, as decimal text. */
export function usageOf(
  world: World,
  { customer }: SubscriptionRow,
  item: SubscriptionItemRow,
  end: number,
): string {
  const meter = world.prices.must(item.own.price).recurring?.meter
  if (meter == null) throw new Error(`${item.own.price} has no meter`)
  return billedQuantity(world, meter, customer, { start: usageStart(item), end })
}

/**
 * The lines of a metered item up to `end`, in arrears: the quantity is what the meter counted, each tier a
 * line. https://docs.stripe.com/billing/subscriptions/usage-based
 */
export function usageLines(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  end: number,
): LineRow[] {
  const quantity = usageOf(world, subscription, item, end)
  const terms = termsOf(world.prices.must(item.own.price), subscription.currency)
  const period = { start: usageStart(item), end }
  return priceParts(terms, quantity).map((part) =>
    itemLine(world, { subscription, item, amount: roundPicos(part.picos), period, part, quantity }),
  )
}

/** What the metered items used and no invoice bills yet; an item without an amount makes no line. */
export function outstandingUsage(world: World, subscription: SubscriptionRow, end: number): LineRow[] {
  return meteredItems(world, subscription.id)
    .flatMap((item) => usageLines(world, subscription, item, end))
    .filter((line) => line.amount !== 0)
}

/** Usage of the item counts anew from `at`. */
export function restartUsage(world: World, item: SubscriptionItemRow, at: number): SubscriptionItemRow {
  return world.subscriptionItems.patch(item.id, { own: { ...item.own, usageFrom: at } })
}

/**
 * Bills what an item used at its present price, before the price changes or the item goes: a pending item.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
export function billUsageSoFar(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  at: number,
): InvoiceItemRow | null {
  const price = world.prices.must(item.own.price)
  const quantity = usageOf(world, subscription, item, at)
  const amount = priceAmount(termsOf(price, subscription.currency), quantity)
  if (amount === 0) return null
  const row = world.invoiceItems.insert({
    id: world.ids.next('ii'),
    object: 'invoiceitem',
    amount,
    currency: subscription.currency,
    customer: subscription.customer,
    customer_account: null,
    date: world.now(subscription.own.clock),
    description: `${quantity} × ${world.products.must(price.product).name}`,
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    net_amount: amount,
    parent: {
      subscription_details: { subscription: subscription.id, subscription_item: item.id },
      type: 'subscription_details',
    },
    period: { start: usageStart(item), end: at },
    pricing: {
      price_details: { price: price.id, product: price.product },
      type: 'price_details',
      unit_amount_decimal: termsOf(price, subscription.currency).unit_amount_decimal,
    },
    proration: false,
    quantity: Math.floor(Number(quantity)),
    quantity_decimal: quantity,
    tax_rates: item.tax_rates,
    test_clock: subscription.own.clock,
    own: {
      clock: subscription.own.clock,
      subscription: subscription.id,
      subscriptionItem: item.id,
      debit: false,
    },
  })
  world.emit('invoiceitem.created', row)
  return row
}
