import { formatInstant } from '@lockstep/core/instant'
import { isFrozen } from '@lockstep/core/invoice'
import { formatMoney, negate, subtract, sum } from '@lockstep/core/money'
import { printedDecimal } from '@lockstep/core/printed-amount'
import { formatQuantity } from '@lockstep/core/quantity'
import type { LineToBill } from './rate.ts'

/**
 * What a line says on the invoice. A remainder names what is new of it; late usage names the period
 * that it was used in, because it stands among the lines of another one.
 */
export function describeLine(toBill: LineToBill): string {
  return [describeRest(toBill), ...describeSetOff(toBill), ...describeDiscounted(toBill)].join(', ')
}

function describeRest(toBill: LineToBill): string {
  const { origin, line, revision, left, mayWait } = toBill
  const isLate = isFrozen(origin.status)
  if (line.derivation.price === null) return describeAdjustment(toBill, isLate)
  if (revision === 0 && !isLate) return line.description
  const unit = line.derivation.measured?.unitLabel
  const what =
    left.quantity === null || unit === undefined
      ? line.description
      : `${line.name}: ${printedDecimal(formatQuantity(left.quantity))} ${unit}`
  // What was taken back makes a rating go down, and more usage the line that makes up for too little of it.
  const isLess = left.amount.minor < 0n || (left.quantity !== null && left.quantity < 0n)
  if (isLess) return `${what}, corrected for ${daysOf(toBill)}`
  if (!isLate) return `${what}, beyond what was billed before`
  // What waited and what was heard of late are one line: all of it is of that period.
  return `${what}, ${mayWait && revision === 0 ? 'carried over from' : 'reported late for'} ${daysOf(toBill)}`
}

/**
 * What it would be without what other lines meet of it: a reader of the provider's invoice sees no more than this. What
 * they met of a part that was billed before was said there.
 */
function describeSetOff({ setOff, setOffBefore }: LineToBill): string[] {
  const { currency } = setOffBefore
  const all = sum(
    currency,
    setOff.map(({ amount }) => amount),
  )
  const now = subtract(all, setOffBefore)
  if (now.minor === 0n) return []
  const isCharge = (all.minor === 0n ? setOffBefore : all).minor < 0n
  const [first] = setOff
  const whose = setOff.length === 1 && first ? first.name : `${setOff.length} other lines`
  if (isCharge)
    return now.minor < 0n
      ? [`less ${formatMoney(negate(now))} billed as ${whose}`]
      : [`and ${formatMoney(now)} that other lines met before`]
  return now.minor > 0n
    ? [`less ${formatMoney(now)} of ${whose}`]
    : [`and ${formatMoney(negate(now))} that other lines met before`]
}

/** What it gives back is less than what it takes back: a reader of the provider's invoice sees the rest nowhere else. */
function describeDiscounted({ discounted }: LineToBill): string[] {
  return discounted.minor === 0n ? [] : [`less ${formatMoney(discounted)} discounted before`]
}

/** One with a revision was withdrawn while it was being billed. */
function describeAdjustment(toBill: LineToBill, isLate: boolean): string {
  const { line, revision } = toBill
  const what = revision === 0 ? line.description : `${line.description}, taken back`
  return isLate ? `${what}, for ${daysOf(toBill)}` : what
}

const daysOf = ({ line: { period } }: LineToBill): string =>
  [period.start, period.end].map((at) => formatInstant(at).slice(0, 10)).join(' to ')
