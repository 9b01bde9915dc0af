import { downToStep } from './charge-step.ts'
import type { Commitment } from './commitment.ts'
import type { LinePart } from './derivation.ts'
import { formatInstant } from './instant.ts'
import { allocate, formatMoney, type Money, subtract, sum, zero } from './money.ts'
import type { Period } from './period.ts'
import type { Price, PriceOf } from './price.ts'
import type { RatedLine } from './rating.ts'

// The most that a plan's usage costs in a period, and the least. Both are held against lines as they are
// charged, before discounts and tax.

/**
 * The usage lines of a period within the plan's maximum. The first ones stand, and the last ones are cut
 * down to what is left of it: so none is negative, and a discount of one product takes its part off what
 * its lines truly cost. A part of a period has all of it.
 */
export function withinMaximum(
  lines: readonly RatedLine[],
  { name, amount: maximum }: PriceOf<'maximum'>,
): RatedLine[] {
  let left = maximum
  return lines.map((line) => {
    const before = subtract(maximum, left)
    const amount = line.amount.minor > left.minor ? left : line.amount
    left = subtract(left, amount)
    if (amount === line.amount) return line
    const cut = { name, maximum: formatMoney(maximum), before: formatMoney(before) }
    return { ...line, amount, derivation: { ...line.derivation, cut, amount: formatMoney(amount) } }
  })
}

export interface MinimumTerms {
  readonly period: Period
  readonly promised: Commitment
  /** What usage costs at most: less than the minimum is then all that it costs. */
  readonly most: Money | null
  /** The smallest difference between two amounts that is charged. */
  readonly step: bigint
}

/**
 * The line that brings a period's usage up to the plan's minimum; of 0 where it is reached. Of a part of a
 * period only that part is promised, to the second, and never a step more: it and the rest are the whole.
 */
export function lineUpToMinimum(
  price: PriceOf<'minimum'> & Pick<Price, 'override'>,
  usage: readonly RatedLine[],
  { period, promised, most, step }: MinimumTerms,
): RatedLine {
  const { key, name, product, currency } = price
  const part = downToStep(partOf(price.amount, promised), step)
  const due = most !== null && most.minor < part.minor ? most : part
  const used = sum(
    currency,
    usage.map(({ amount }) => amount),
  )
  const amount = used.minor < due.minor ? subtract(due, used) : zero(currency)
  const text = formatMoney(amount)
  return {
    ...{ key, name, product, period, amount },
    quantity: null,
    description: `${name}: ${formatMoney(used)} used of ${formatMoney(due)} ${currency.toUpperCase()}`,
    derivation: {
      price: { key, name, model: price.model, ...(price.override && { override: price.override }) },
      currency,
      period: { start: formatInstant(period.start), end: formatInstant(period.end) },
      measured: null,
      steps: [
        {
          kind: 'minimum',
          minimum: formatMoney(price.amount),
          seconds: `${lengthOf(promised)}`,
          wholeSeconds: `${promised.whole.end - promised.whole.start}`,
          ...(due === part ? {} : { part: formatMoney(part) }),
          due: formatMoney(due),
          of: usage.map(partOfBase),
          used: formatMoney(used),
          amount: text,
        },
      ],
      exact: text,
      rounded: text,
      free: null,
      amount: text,
    },
  }
}

function partOf(minimum: Money, promised: Commitment): Money {
  const { whole } = promised
  const length = lengthOf(promised)
  // The penny that does not divide goes to the rest: who was there for seconds has promised nothing.
  const [, due] = allocate(minimum, [BigInt(whole.end - whole.start) - length, length])
  return due
}

const partOfBase = ({ key, words, amount }: RatedLine): LinePart => ({
  ...{ key, ...(words && { words }) },
  amount: formatMoney(amount),
})

/** Never more than the whole: one that was made longer costs no more. */
const lengthOf = ({ time, whole }: Commitment): bigint =>
  BigInt(Math.min(time.end - time.start, whole.end - whole.start))
