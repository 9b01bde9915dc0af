import { assert } from './assert.ts'
import { groupThousands } from './decimal.ts'
import type { Derivation } from './derivation.ts'
import { formatInstant } from './instant.ts'
import { type Aggregation, type Meter, measure, noUsage, type UsageTotals } from './meter.ts'
import { type Currency, formatExact, formatMoney, type Money, round, sum, zero } from './money.ts'
import type { Period } from './period.ts'
import { boundOf, isBilledByProvider, type Price } from './price.ts'
import { priceShare, type ShareBase } from './pricing/percentage.ts'
import { priceQuantity } from './pricing/price-quantity.ts'
import { priceUsage } from './pricing/price-usage.ts'
import type { Priced } from './pricing/priced.ts'
import { formatQuantity, type Quantity, units } from './quantity.ts'
import { lineUpToMinimum, withinMaximum } from './usage-bounds.ts'

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
  /** The whole period that this one is, or is a part of; null where no minimum is promised: in a trial. */
  readonly whole?: Period | null
  /** What is charged of an amount: all of it, unless the provider's steps are larger than a coin. */
  readonly charged?: (amount: Money) => Money
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
  for (const price of ours) {
    if (price.kind === 'usage' || price.kind === 'recurring') lines.set(price.key, rateQuantity(price, input))
  }
  for (const line of boundedUsage(ours, lines, input)) lines.set(line.key, line)

  const shareOf: ShareBase[] = [
    { key: null, amount: input.recurringFee },
    ...[...lines.values()].map(({ key, amount }) => ({ key, amount })),
  ]
  return ours.flatMap((price) => {
    if (price.kind === 'share') return rateShare(price, shareOf, input)
    return lines.get(price.key) ?? []
  })
}

/** The usage lines within the plan's maximum, and the one that brings them up to its minimum. */
function boundedUsage(
  ours: readonly Price[],
  rated: ReadonlyMap<string, RatedLine>,
  { period, free, whole = period, charged = (amount) => amount }: RatingInput,
): RatedLine[] {
  const [minimum, maximum] = [boundOf(ours, 'minimum'), boundOf(ours, 'maximum')]
  if (free || (!minimum && !maximum)) return []
  const all = ours.filter(({ kind }) => kind === 'usage').flatMap(({ key }) => rated.get(key) ?? [])
  // Held against what will be charged, so that a step of the provider's never goes past them.
  const lines = all.map((line) => ({ ...line, amount: charged(line.amount) }))
  const usage = maximum ? withinMaximum(lines, maximum) : lines
  return minimum && whole ? [...usage, lineUpToMinimum(minimum, usage, { period, whole, charged })] : usage
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
    price: {
      key: price.key,
      name: price.name,
      model: price.model,
      ...(price.override && { override: price.override }),
    },
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
