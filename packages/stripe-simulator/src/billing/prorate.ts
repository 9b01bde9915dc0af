import type { InvoiceItemRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import { divideRounded, PICOS } from '../rules/decimal.ts'
import { type Period, remaining, remainingOf } from '../rules/proration.ts'
import type { World } from '../world.ts'
import { invoiceReductions, reductionsOf, runningDiscounts } from './discounts.ts'
import { itemLine } from './lines.ts'
import { isMetered } from './metered.ts'
import { itemPicos, itemsOf } from './periods.ts'
import { amountOf, type Reduction, totalOf } from './totals.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `17 Jan 2026`, as in the descriptions of prorations. */
function day(at: number): string {
  const date = new Date(at * 1000)
  return `${String(date.getUTCDate()).padStart(2, '0')} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/**
 * Credits the time that is left of an item's period. Classic values it at the item's present price,
 * flexible at what was last debited for that time.
 * https://docs.stripe.com/billing/subscriptions/billing-mode/compare
 */
export function creditUnused(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  at: number,
): InvoiceItemRow | null {
  const period = { start: item.current_period_start, end: item.current_period_end }
  // Only what is paid in advance can be unused.
  if (at >= period.end || isMetered(world.prices.must(item.own.price))) return null
  const amount = -unusedAmount(world, subscription, item, period, at)
  const debit = item.own.debit
  return prorationItem(world, subscription, item, {
    amount,
    at,
    end: period.end,
    words: 'Unused time on',
    debit: false,
    credited:
      debit?.invoice != null && debit.line !== null
        ? { invoice: debit.invoice, line: debit.line, invoiceItem: null }
        : { invoice: null, line: null, invoiceItem: debit?.invoiceItem ?? null },
  })
}

function unusedAmount(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  period: Period,
  at: number,
): number {
  if (subscription.billing_mode.type === 'flexible') {
    const debit = item.own.debit
    if (debit === null || at >= debit.end) return 0
    return at <= debit.start ? debit.amount : remainingOf(debit.amount, debit, at)
  }
  const whole = Number(divideRounded(itemPicos(world, item, subscription.currency), PICOS))
  const off = discountOn(world, subscription, item, whole)
  if (off === 0) return remaining(itemPicos(world, item, subscription.currency), period, at)
  return remainingOf(whole - off, period, at)
}

/** Classic takes the present discounts off the item as if it stood alone. */
function discountOn(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  whole: number,
): number {
  let left = whole
  for (const reduction of reductionsOn(world, subscription, item)) {
    left = Math.max(0, left - amountOf(reduction, left))
  }
  return whole - left
}

/** What is taken off an item now, its own discounts first. */
function reductionsOn(world: World, subscription: SubscriptionRow, item: SubscriptionItemRow): Reduction[] {
  const at = world.now(subscription.own.clock)
  const ids = [
    ...(item.discounts as string[]),
    ...runningDiscounts(world, subscription.discounts, subscription.customer, at),
  ]
  const product = world.prices.must(item.own.price).product
  return reductionsOf(world, ids, subscription.currency).filter(
    ({ products }) => products.length === 0 || products.includes(product),
  )
}

/** ` (with 10.0% off)` or ` (with $4.00 off)`, as Stripe words a discount that is in a proration's amount. */
function withOff(world: World, subscription: SubscriptionRow, item: SubscriptionItemRow): string {
  const [only, ...others] = reductionsOn(world, subscription, item)
  // How several are worded is nowhere to be seen.
  if (only === undefined || others.length > 0) return ''
  const { percentOff: percent, amountOff: amount } = only
  if (amount !== null) return ` (with ${formatMoney(String(amount), subscription.currency)} off)`
  return ` (with ${percent?.includes('.') ? Number(percent) : `${percent}.0`}% off)`
}

/**
 * What the running discounts take off a new price. Its line is not discountable any more: the discount is in
 * the amount. Flexible billing gives the item its share of the discount, classic all of it.
 * https://docs.stripe.com/billing/subscriptions/prorations#prorations-and-discounts
 */
function debitDiscount(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  whole: number,
): number {
  if (subscription.billing_mode.type === 'classic') return discountOn(world, subscription, item, whole)
  const at = world.now(subscription.own.clock)
  const ids = runningDiscounts(world, subscription.discounts, subscription.customer, at)
  const items = itemsOf(world, subscription.id)
  if (ids.length === 0 && items.every((one) => one.discounts.length === 0)) return 0
  const lines = items.map((one) => {
    const amount = Number(divideRounded(itemPicos(world, one, subscription.currency), PICOS))
    const period = { start: at, end: at }
    return itemLine(world, { subscription, item: one, amount, period, part: null, quantity: '1' })
  })
  const { lines: shared } = totalOf(lines, invoiceReductions(world, lines, ids, subscription.currency))
  const own = shared[items.findIndex((one) => one.id === item.id)]
  return own === undefined ? 0 : whole - own.own.net
}

/** Debits the new price for the time that is left, and remembers it as what was debited. */
export function debitRemaining(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  period: Period,
  at: number,
): InvoiceItemRow {
  const picos = itemPicos(world, item, subscription.currency)
  const whole = Number(divideRounded(picos, PICOS))
  const off = debitDiscount(world, subscription, item, whole)
  const amount = off === 0 ? remaining(picos, period, at) : remainingOf(whole - off, period, at)
  const debit = prorationItem(world, subscription, item, {
    amount,
    at,
    end: period.end,
    words: 'Remaining time on',
    debit: true,
    credited: null,
  })
  world.subscriptionItems.patch(item.id, {
    own: {
      ...world.subscriptionItems.must(item.id).own,
      debit: { start: at, end: period.end, amount, invoiceItem: debit.id, invoice: null, line: null },
    },
  })
  return debit
}

interface Proration {
  readonly amount: number
  readonly at: number
  readonly end: number
  readonly words: string
  readonly debit: boolean
  readonly credited: { invoice: string | null; line: string | null; invoiceItem: string | null } | null
}

/**
 * A pending invoice item for a stretch of time. A number of seats is named when it is not one. The discounts that are in
 * its amount are named, with nothing taken off: "the proration discount properties include discount IDs, but discount
 * amounts are 0". https://docs.stripe.com/changelog/clover/2025-09-30/itemize-proration-discount-amounts
 */
function prorationItem(
  world: World,
  subscription: SubscriptionRow,
  item: SubscriptionItemRow,
  { amount, at, end, words, debit, credited }: Proration,
): InvoiceItemRow {
  const price = world.prices.must(item.own.price)
  const quantity = item.quantity ?? 1
  const name = world.products.must(price.product).name
  const row = world.invoiceItems.insert({
    id: world.ids.next('ii'),
    object: 'invoiceitem',
    amount,
    currency: subscription.currency,
    customer: subscription.customer,
    customer_account: null,
    date: world.now(subscription.own.clock),
    description: `${words} ${quantity === 1 ? '' : `${quantity} × `}${name}${withOff(world, subscription, item)} after ${day(at)}`,
    discountable: false,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    net_amount: amount,
    parent: {
      subscription_details: { subscription: subscription.id, subscription_item: item.id },
      type: 'subscription_details',
    },
    period: { start: at, end },
    pricing: {
      price_details: { price: price.id, product: price.product },
      type: 'price_details',
      // As recorded: a part of a period has no amount of one unit.
      unit_amount_decimal: null,
    },
    proration: true,
    proration_details: {
      credited_items: creditedItems(credited),
      discount_amounts: reductionsOn(world, subscription, item).map(({ discount }) => ({
        amount: 0,
        discount,
      })),
    },
    quantity,
    quantity_decimal: String(quantity),
    tax_rates: item.tax_rates,
    test_clock: subscription.own.clock,
    own: { clock: subscription.own.clock, subscription: subscription.id, subscriptionItem: item.id, debit },
  })
  world.emit('invoiceitem.created', row)
  return row
}

function creditedItems(credited: Proration['credited']) {
  if (credited === null) return null
  if (credited.invoice !== null && credited.line !== null) {
    return {
      type: 'invoice_line_items',
      invoice_line_item_details: { invoice: credited.invoice, invoice_line_items: [credited.line] },
    }
  }
  return credited.invoiceItem === null ? null : { type: 'invoice_item', invoice_item: credited.invoiceItem }
}
