import { assert } from './assert.ts'
import { toStep } from './charge-step.ts'
import type { Commitment } from './commitment.ts'
import type { Derivation } from './derivation.ts'
import { formatInstant } from './instant.ts'
import { type Aggregation, type Meter, measure, noUsage, type UsageTotals } from './meter.ts'
import { addExact, type Currency, formatExact, formatMoney, type Money, round, sum, zero } from './money.ts'
import type { Period } from './period.ts'
import { boundOf, isBilledByProvider, type Price } from './price.ts'
import { mergeSteps } from './pricing/merge-steps.ts'
import { priceShare, type ShareBase } from './pricing/percentage.ts'
import { priceQuantity } from './pricing/price-quantity.ts'
import { priceUsage } from './pricing/price-usage.ts'
import type { Priced } from './pricing/priced.ts'
import { printedDecimal } from './printed-amount.ts'
import { formatQuantity, type Quantity, units } from './quantity.ts'
import { lineUpToMinimum, withinMaximum } from './usage-bounds.ts'
import {
  type GroupValues,
  groupInWords,
  groupLineKey,
  type MeasuredGroup,
  otherLineKey,
  shareOut,
  type UsageGroup,
} from './usage-group.ts'

/** What one price costs in one period, or an adjustment adds to it, and why. */
export interface RatedLine {
  /** The price's key, or its and its group's, or the adjustment's id: unique on an invoice. */
  readonly key: string
  /** Of a group's line: its price's key and the group, where a person reads it. */
  readonly words?: string
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
  /** Of prices that group, by price key. */
  readonly groups?: ReadonlyMap<string, readonly UsageGroup[]>
  /** Keys of lines of which invoices carry a part already. */
  readonly billed?: ReadonlySet<string>
  /** What the provider bills for this same period: shares are taken of it too. */
  readonly recurringFee: Money
  /** All lines cost 0, and say why. */
  readonly free?: 'trial' | undefined
  /** For how much of which whole period the minimum is promised: all of this one; null in a trial, for none. */
  readonly promised?: Commitment | null
  /** The smallest difference between two amounts that is charged: one coin, unless the provider's steps are larger. */
  readonly step?: bigint
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
  const keysOf = new Map<string, readonly string[]>()
  for (const price of ours) {
    if (price.kind !== 'usage' && price.kind !== 'recurring') continue
    const rated = rateUsage(price, input)
    for (const line of rated) lines.set(line.key, line)
    keysOf.set(
      price.key,
      rated.map(({ key }) => key),
    )
  }
  for (const line of boundedUsage(ours, lines, keysOf, input)) lines.set(line.key, line)

  const shareOf: ShareBase[] = [
    { key: null, amount: input.recurringFee },
    ...[...lines.values()].map(({ key, words, amount }) => ({ key, ...(words && { words }), amount })),
  ]
  return ours
    .flatMap((price) => {
      if (price.kind === 'share') return rateShare(price, shareOf, input)
      return (keysOf.get(price.key) ?? [price.key]).flatMap((key) => lines.get(key) ?? [])
    })
    .map((line) => asCharged(line, input))
}

/** A line for what is charged of it, which its derivation tells. */
function asCharged(line: RatedLine, { step = 1n }: Pick<RatingInput, 'step'>): RatedLine {
  const amount = toStep(line.amount, step)
  if (amount.minor === line.amount.minor) return line
  const [before, after] = [formatMoney(line.amount), formatMoney(amount)]
  const charged = { step: formatMoney({ ...amount, minor: step }), before, after }
  return { ...line, amount, derivation: { ...line.derivation, charged, amount: after } }
}

/** The usage lines within the plan's maximum, and the one that brings them up to its minimum. */
function boundedUsage(
  ours: readonly Price[],
  rated: ReadonlyMap<string, RatedLine>,
  keysOf: ReadonlyMap<string, readonly string[]>,
  { period, free, promised = { time: period, whole: period }, step = 1n }: RatingInput,
): RatedLine[] {
  const [minimum, maximum] = [boundOf(ours, 'minimum'), boundOf(ours, 'maximum')]
  if (free || (!minimum && !maximum)) return []
  const usageKeys = ours.filter(({ kind }) => kind === 'usage').flatMap(({ key }) => keysOf.get(key) ?? [])
  const all = usageKeys.flatMap((key) => rated.get(key) ?? [])
  // Held against what will be charged, so that a step of the provider's never goes past them.
  const lines = all.map((line) => asCharged(line, { step }))
  const usage = maximum ? withinMaximum(lines, maximum) : lines
  if (!minimum || !promised) return usage
  const most = maximum?.amount ?? null
  return [...usage, lineUpToMinimum(minimum, usage, { period, promised, most, step })]
}

/** What the provider bills for one period of these prices, at quantity 1. */
export function recurringFee(prices: readonly Price[], currency: Currency): Money {
  const fees = prices.filter(isBilledByProvider).map((price) => round(priceQuantity(price, units(1n)).exact))
  return sum(currency, fees)
}

function rateUsage(price: Price, input: RatingInput): RatedLine[] {
  return price.groupBy === undefined ? [rateQuantity(price, input)] : rateGroups(price, price.groupBy, input)
}

/** A line for each group, and one for those that have none of their own. Each group is priced by itself. */
function rateGroups(price: Price, groupBy: readonly string[], input: RatingInput): RatedLine[] {
  const { billed = new Set() } = input
  const meter = meterOf(price, input)
  const { own, other } = shareOut({
    meter,
    groups: input.groups?.get(price.key) ?? [],
    prices: input.prices.filter((one) => one.groupBy !== undefined).length,
    isBilled: (group) => billed.has(groupLineKey(price.key, group)),
    isOtherBilled: billed.has(otherLineKey(price.key)),
  })
  const lines = own.map((group) =>
    groupLine(price, [group], input, {
      meter,
      key: groupLineKey(price.key, group),
      words: groupInWords(groupBy, group.values),
      of: { group: Object.fromEntries(groupBy.map((name, i) => [name, group.values[i] ?? null])) },
    }),
  )
  if (other === null) return lines
  const rest = { key: otherLineKey(price.key), words: 'others', of: { groups: `${other.length}` } }
  return [...lines, groupLine(price, other, input, { meter, ...rest })]
}

interface GroupLine {
  readonly meter: Meter
  readonly key: string
  readonly words: string
  readonly of: Partial<NonNullable<Derivation['measured']>>
}

function groupLine(
  price: Price,
  groups: readonly MeasuredGroup[],
  input: RatingInput,
  { meter, key, words, of }: GroupLine,
): RatedLine {
  const parts = groups.map(({ values, quantity }) => priceQuantity(priceOfGroup(price, values), quantity))
  const exact = parts.reduce((total, part) => addExact(total, part.exact), {
    scaled: 0n,
    currency: price.currency,
  })
  const steps = mergeSteps(parts.flatMap((part) => part.steps))
  const quantity = groups.reduce((total, group) => total + group.quantity, 0n)
  const events = groups.reduce((total, group) => total + group.totals.count, 0n)
  const suffix = `: ${printedDecimal(formatQuantity(quantity))} ${meter.unitLabel}`
  const measured = { ...measurementOf(meter, events, quantity), ...of }
  const line = lineOf(price, { exact, steps }, input, { quantity, suffix, measured, words })
  return { ...line, key, words: `${price.key}, ${words}` }
}

/** One value may have a rate of its own. */
function priceOfGroup(price: Price, [value]: GroupValues): Price {
  if (price.model !== 'perUnit' || value == null || price.rates === undefined) return price
  return Object.hasOwn(price.rates, value) ? { ...price, rate: price.rates[value] ?? price.rate } : price
}

function rateQuantity(price: Price, input: RatingInput): RatedLine {
  const { meter, totals, quantity } = measured(price, input)
  const suffix = meter ? `: ${printedDecimal(formatQuantity(quantity))} ${meter.unitLabel}` : ''
  const priced = priceUsage(price, quantity)
  const measurement = meter && measurementOf(meter, totals.count, quantity)
  return lineOf(price, priced, input, { quantity, suffix, measured: measurement })
}

function rateShare(price: Price, of: readonly ShareBase[], input: RatingInput): RatedLine {
  assert(price.model === 'percentage')
  const priced = priceShare(price.picos, of, price.currency)
  const step = priced.steps[0]
  assert(step?.kind === 'share')
  return lineOf(price, priced, input, { quantity: null, suffix: `, ${step.percent} %`, measured: null })
}

function measured(price: Price, input: RatingInput) {
  // A recurring price in arrears is sold once, as the plan is.
  if (price.meter === null) return { meter: null, totals: noUsage, quantity: units(1n) }
  const meter = meterOf(price, input)
  const totals = input.usage.get(meter.key) ?? noUsage
  return { meter, totals, quantity: measure(meter, totals) }
}

function meterOf(price: Price, { meters }: RatingInput): Meter {
  const meter = meters.find(({ key }) => key === price.meter)
  assert(meter, `no such meter: ${price.meter}`)
  return meter
}

function measurementOf(meter: Meter, events: bigint, quantity: Quantity) {
  return {
    meter: meter.key,
    unitLabel: meter.unitLabel,
    aggregation: meter.aggregation satisfies Aggregation,
    events: `${events}`,
    quantity: formatQuantity(quantity),
  }
}

interface LineParts {
  readonly quantity: Quantity | null
  readonly suffix: string
  readonly measured: Derivation['measured']
  /** Of a group: what stands behind the price's name. */
  readonly words?: string
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
  const { key, product } = price
  const name = parts.words === undefined ? price.name : `${price.name}, ${parts.words}`
  const description = name + parts.suffix
  return { key, name, product, period, quantity: parts.quantity, amount, description, derivation }
}
