import type { InvoiceItemRow, LineRow, PriceRow, SubscriptionItemRow, SubscriptionRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import type { PricePart } from '../rules/pricing.ts'
import type { World } from '../world.ts'

export interface ItemLine {
  readonly subscription: SubscriptionRow
  readonly item: SubscriptionItemRow
  readonly amount: number
  readonly period: { readonly start: number; readonly end: number }
  /** The tier, or the whole price; null bills nothing because a trial runs. */
  readonly part: PricePart | null
  /** Seats or usage, as decimal text; a tier has its own. */
  readonly quantity: string
}

/** The line of a subscription item for a period. The invoice's id is set when the line is put on it. */
export function itemLine(
  world: World,
  { subscription, item, amount, period, part, ...of }: ItemLine,
): LineRow {
  const price = world.prices.must(item.own.price)
  const quantity = part?.tier == null ? of.quantity : part.quantity
  const { name, unit_label: unit } = world.products.must(price.product)
  // `10 user × Team`: as recorded, the unit never takes a plural.
  const counted = unit == null ? quantity : `${quantity} ${unit}`
  return {
    ...blankLine(world, subscription.currency),
    amount,
    subtotal: amount,
    discounts: [...item.discounts],
    description:
      part === null
        ? trialText(subscription, price, quantity, name)
        : `${counted} × ${name} (${rateText(price, part, subscription.currency)})`,
    // A line of a subscription shows the subscription's metadata as it is when the line is made.
    metadata: subscription.metadata,
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: { credited_items: null },
        subscription: subscription.id,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period,
    pricing: pricingOf(price, part === null ? '0' : part.unitAmount),
    quantity: Math.floor(Number(quantity)),
    quantity_decimal: quantity,
    subscription: subscription.id,
    own: { appliesTo: price.product, net: amount, taxRates: ratesOf(item.tax_rates) },
  }
}

/** https://docs.stripe.com/billing/subscriptions/billing-mode/compare */
function trialText(
  { billing_mode: mode }: SubscriptionRow,
  { recurring }: PriceRow,
  quantity: string,
  name: string,
): string {
  if (mode.type === 'flexible') return `Free trial for ${quantity} × ${name}`
  return recurring?.usage_type === 'metered'
    ? `${quantity} × ${name} (Free trial)`
    : `Trial period for ${name}`
}

/** The line of an invoice item; a proration's parent is the subscription item it prorates. */
export function invoiceItemLine(world: World, item: InvoiceItemRow): LineRow {
  const ofSubscription = item.proration && item.own.subscriptionItem !== null
  return {
    ...blankLine(world, item.currency),
    amount: item.amount,
    subtotal: item.amount,
    description: item.description,
    discountable: item.discountable,
    discounts: [...(item.discounts ?? [])] as string[],
    metadata: item.metadata ?? {},
    parent: ofSubscription
      ? {
          invoice_item_details: null,
          subscription_item_details: {
            invoice_item: item.id,
            proration: true,
            proration_details: { credited_items: creditedLines(item) },
            subscription: item.own.subscription,
            subscription_item: item.own.subscriptionItem as string,
          },
          type: 'subscription_item_details',
        }
      : {
          invoice_item_details: {
            invoice_item: item.id,
            proration: item.proration,
            proration_details: { credited_items: creditedLines(item) },
            subscription: item.own.subscription,
          },
          subscription_item_details: null,
          type: 'invoice_item_details',
        },
    period: item.period,
    pricing: item.pricing,
    quantity: item.quantity,
    quantity_decimal: item.quantity_decimal,
    subscription: item.own.subscription,
    discount_amounts: [...(item.proration_details?.discount_amounts ?? [])] as LineRow['discount_amounts'],
    own: {
      appliesTo: item.pricing?.price_details?.product ?? null,
      net: item.amount,
      taxRates: ratesOf(item.tax_rates),
      taxBehavior: item.own.taxBehavior,
    },
  }
}

/** The line of the invoice that an invoice item made, if any. */
export function itemOfLine(line: Pick<LineRow, 'parent'>): string | null {
  return (
    line.parent?.invoice_item_details?.invoice_item ??
    line.parent?.subscription_item_details?.invoice_item ??
    null
  )
}

function ratesOf(rates: readonly { readonly id: string }[] | null): string[] {
  return (rates ?? []).map(({ id }) => id)
}

function pricingOf(price: PriceRow, unitAmount: string | null): LineRow['pricing'] {
  return {
    type: 'price_details',
    price_details: { price: price.id, product: price.product },
    unit_amount_decimal: unitAmount,
  }
}

function creditedLines(item: InvoiceItemRow) {
  const credited = item.proration_details?.credited_items?.invoice_line_item_details
  return credited === undefined ? null : credited
}

function blankLine(world: World, currency: string) {
  return {
    id: world.ids.next(world.preview ? 'il_tmp' : 'il'),
    object: 'line_item' as const,
    currency,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    pretax_credit_amounts: [],
    taxes: [],
  }
}

/** `at $25.00 / month`, `at $25.00 / every 3 months`, `Tier 2 at $4.00 / month`. */
function rateText(price: PriceRow, part: PricePart, currency: string): string {
  const { interval, interval_count: count } = price.recurring ?? { interval: 'month', interval_count: 1 }
  const rhythm = count === 1 ? interval : `every ${count} ${interval}s`
  const tier = part.tier === null ? '' : `Tier ${part.tier} `
  return `${tier}at ${formatMoney(part.unitAmount ?? '0', currency)} / ${rhythm}`
}
