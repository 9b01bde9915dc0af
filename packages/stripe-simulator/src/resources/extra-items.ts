import { cycleOf, itemPeriod, itemsOf } from '../billing/periods.ts'
import { invalid } from '../errors.ts'
import {
  bool,
  decimal,
  integer,
  list,
  metadata,
  oneOf,
  required,
  shape,
  text,
  timestamp,
} from '../http/schema.ts'
import type { World } from '../world.ts'
import { currency } from './currency-param.ts'
import { discountsParam } from './discounts.ts'
import { find } from './lookup.ts'
import { createInvoiceItem, refuseArchived, refuseUnlessOnce } from './make-invoice-item.ts'
import { TAX_BEHAVIORS } from './price-fields.ts'
import { mixedCurrencies, refuseOtherCurrency } from './subscription-currency.ts'
import { taxRatesParam } from './tax-rates.ts'

const period = shape({
  start: required(
    shape({
      type: required(oneOf(['max_item_period_start', 'now', 'phase_start', 'timestamp'] as const)),
      timestamp,
    }),
  ),
  end: required(
    shape({ type: required(oneOf(['min_item_period_end', 'phase_end', 'timestamp'] as const)), timestamp }),
  ),
})

/** `add_invoice_items`: what the next invoice of a subscription bills once. */
export const extraItems = list(
  shape({
    price: text(),
    price_data: shape({
      currency: required(currency),
      product: required(text()),
      unit_amount: integer(),
      unit_amount_decimal: decimal,
      tax_behavior: oneOf(TAX_BEHAVIORS),
    }),
    quantity: integer({ min: 1 }),
    discountable: bool,
    metadata,
    period,
    tax_rates: taxRatesParam,
    discounts: discountsParam,
  }),
  20,
)

export type Extra = ReturnType<typeof extraItems.parse>[number]

/**
 * Makes pending items of a subscription; one below zero credits ("Manually creating your own prorations",
 * https://docs.stripe.com/billing/subscriptions/prorations#manually-creating-your-own-prorations). Without a period of its own an item covers what all items of the
 * subscription have in common. https://docs.stripe.com/api/subscriptions/create#create_subscription-add_invoice_items
 */
export function addExtraItems(world: World, id: string, extras: readonly Extra[], phase?: Stretch): void {
  const subscription = world.subscriptions.must(id)
  for (const [i, { price, price_data: data, ...extra }] of extras.entries()) {
    const at = `add_invoice_items[${i}]`
    const planned = phase !== undefined
    checkExtra(world, subscription.currency, { price, price_data: data }, at, planned)
    createInvoiceItem(
      world,
      {
        ...extra,
        mayCredit: true,
        mayBeArchived: planned,
        customer: subscription.customer,
        subscription: id,
        ...(price === undefined ? {} : { pricing: { price } }),
        ...(data === undefined ? {} : { price_data: data }),
        currency: subscription.currency,
        period: periodOf(world, id, extra.period, `${at}[period]`, phase),
      },
      at,
    )
  }
}

/** One price, billed once, in the currency of the subscription, and for sale: when a phase was planned, not when it begins. */
function checkExtra(
  world: World,
  expected: string,
  { price, price_data: data }: Pick<Extra, 'price' | 'price_data'>,
  at: string,
  planned: boolean,
): void {
  if (data !== undefined) {
    if (price !== undefined) {
      throw invalid('You may only specify one of these parameters: price, price_data.', `${at}[price]`)
    }
    if (data.currency === expected) return
    throw mixedCurrencies(expected, `${at}[price_data][currency]`)
  }
  const param = `${at}[price]`
  if (price === undefined) throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
  const row = find(world.prices, 'price', price, param)
  refuseUnlessOnce(row, param)
  if (!planned) refuseArchived(row, param)
  refuseOtherCurrency(row, expected, param)
}

interface Stretch {
  readonly start: number
  readonly end: number
}

function periodOf(
  world: World,
  id: string,
  given: Extra['period'],
  param: string,
  phase: Stretch | undefined,
): Stretch {
  const subscription = world.subscriptions.must(id)
  const now = world.now(subscription.own.clock)
  // Where a phase begins with a period, the items are about to enter it.
  const periods = itemsOf(world, id).map((item) =>
    item.current_period_end > now
      ? { start: item.current_period_start, end: item.current_period_end }
      : itemPeriod(
          subscription.billing_cycle_anchor,
          cycleOf(subscription, world.prices.must(item.own.price)),
          now,
        ),
  )
  const type = { start: given?.start.type, end: given?.end.type }
  const named = {
    now,
    phase_start: phase?.start ?? now,
    phase_end: phase?.end ?? now,
    max_item_period_start: Math.max(...periods.map((one) => one.start)),
    min_item_period_end: Math.min(...periods.map((one) => one.end)),
  }
  return {
    start:
      type.start === 'timestamp'
        ? needed(given?.start.timestamp, `${param}[start][timestamp]`)
        : named[type.start ?? 'max_item_period_start'],
    end:
      type.end === 'timestamp'
        ? needed(given?.end.timestamp, `${param}[end][timestamp]`)
        : named[type.end ?? 'min_item_period_end'],
  }
}

function needed(at: number | undefined, param: string): number {
  if (at === undefined) throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
  return at
}
