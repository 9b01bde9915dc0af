import { assert } from './assert.ts'
import { groupThousands } from './decimal.ts'
import type { Derivation } from './derivation.ts'
import { formatInstant } from './instant.ts'
import { type Aggregation, type Meter, measure, noUsage, type UsageTotals } from './meter.ts'
import { type Currency, formatExact, formatMoney, type Money, round, sum, zero } from './money.ts'
import type { Period } from './period.ts'
import { isBilledByProvider, type Price } from './price.ts'
import { priceShare, type ShareBase } from './pricing/percentage.ts'
import { priceQuantity } from './pricing/price-quantity.ts'
import { priceUsage } from './pricing/price-usage.ts'
import type { Priced } from './pricing/priced.ts'
import { formatQuantity, type Quantity, units } from './quantity.ts'

/** What one price costs in one period, or an adjustment adds to it, and why. */
export interface RatedLine {
  /** The price's key or the adjustment's id, unique on an invoice. */
  readonly key: string
  readonly name: string
  /** The product that it is sold as. */
  readonly product: string
  readonly period: Period
  /** Null for a share: it has no quantity. */
  readonly quantity: Quantity | null
  readonly amount: Money
  readonly description: string
  readonly derivation: Derivation
}

export interface RatingInput {
  readonly period: Period
  /** Of one plan version, in its order. */
  readonly prices: readonly Price[]
  readonly meters: readonly Meter[]
  /** By meter key; a meter without an entry was not used. */
  readonly usage: ReadonlyMap<string, UsageTotals>
  /** What the provider bills for this same period: shares are taken of it too. */
  readonly recurringFee: Money
  /** All lines cost 0, and say why. */
  readonly free?: 'trial' | undefined
}

/**
 * The lines that Lockstep rates, in the plan's order; what the provider bills by itself is not
 * among them. Shares are taken of the other lines and the recurring fee, never of each other.
 */
export function rate(input: RatingInput): RatedLine[] {
  const ours = input.prices.filter((price) => !isBilledByProvider(price))
  assert(
    ours.every(({ currency }) => currency === input.recurringFee.currency),
    'a plan has one currency',
  )
  const lines = new Map<string, RatedLine>()
  for (const price of ours) if (price.kind !== 'share') lines.set(price.key, rateQuantity(price, input))

  const shareOf: ShareBase[] = [
    { key: null, amount: input.recurringFee },
    ...[...lines.values()].map(({ key, amount }) => ({ key, amount })),
  ]
  return ours.map((price) => lines.get(price.key) ?? rateShare(price, shareOf, input))
}

/** What the provider bills for one period of these prices, at quantity 1. */
export function recurringFee(prices: readonly Price[], currency: Currency): Money {
  const fees = prices.filter(isBilledByProvider).map((price) => round(priceQuantity(price, units(1n)).exact))
  return sum(currency, fees)
}

function rateQuantity(price: Price, input: RatingInput): RatedLine {
  const { meter, totals, quantity } = measured(price, input)
  const suffix = meter ? `: ${groupThousands(formatQuantity(quantity))} ${meter.unitLabel}` : ''
  const priced = priceUsage(price, quantity)
  const measurement = meter && {
    meter: meter.key,
    unitLabel: meter.unitLabel,
    aggregation: meter.aggregation satisfies Aggregation,
    events: `${totals.count}`,
    quantity: formatQuantity(quantity),
  }
  return lineOf(price, priced, input, { quantity, suffix, measured: measurement })
}

function rateShare(price: Price, of: readonly ShareBase[], input: RatingInput): RatedLine {
  assert(price.model === 'percentage')
  const priced = priceShare(price.picos, of, price.currency)
  const step = priced.steps[0]
  assert(step?.kind === 'share')
  return lineOf(price, priced, input, { quantity: null, suffix: `, ${step.percent} %`, measured: null })
}

function measured(price: Price, { meters, usage }: RatingInput) {
  // A recurring price in arrears is sold once, as the plan is.
  if (price.meter === null) return { meter: null, totals: noUsage, quantity: units(1n) }
  const meter = meters.find(({ key }) => key === price.meter)
  assert(meter, `no such meter: ${price.meter}`)
  const totals = usage.get(meter.key) ?? noUsage
  return { meter, totals, quantity: measure(meter, totals) }
}

interface LineParts {
  readonly quantity: Quantity | null
  readonly suffix: string
  readonly measured: Derivation['measured']
}

function lineOf(price: Price, priced: Priced, { period, free }: RatingInput, parts: LineParts): RatedLine {
  const rounded = round(priced.exact)
  const amount = free ? zero(rounded.currency) : rounded
  const derivation: Derivation = {
    price: { key: price.key, name: price.name, model: price.model },
    currency: price.currency,
    period: { start: formatInstant(period.start), end: formatInstant(period.end) },
    measured: parts.measured,
    steps: priced.steps,
    exact: formatExact(priced.exact),
    rounded: formatMoney(rounded),
    free: free ?? null,
    amount: formatMoney(amount),
  }
  const description = price.name + parts.suffix
  const { key, name, product } = price
  return { key, name, product, period, quantity: parts.quantity, amount, description, derivation }
}
