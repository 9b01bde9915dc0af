import { explainGivenBack, explainWhole } from '@lockstep/core/derivation'
import { type BilledPart, paidFor, standsFor } from '@lockstep/core/given-back'
import { formatInstant } from '@lockstep/core/instant'
import { formatMoney, negate, parseMoney, sum } from '@lockstep/core/money'
import { printedAmount, printedDecimal } from '@lockstep/core/printed-amount'
import { formatMonth } from '@lockstep/core/usage-retention'
import type { UsageCorrection } from '../store/usage-corrections.ts'
import type { ExpiredEvents } from '../store/usage-expired.ts'
import type { ShownLine } from './read.ts'

/** The derivation in words; where a part was billed before, the words go on to what is left. */
export function explanationOf(line: ShownLine, corrections: readonly UsageCorrection[]): string[] {
  const { derivation, billed, amount, description, reason } = line
  if (!derivation) return [`${description}: ${reason ?? 'the payment provider computed this amount.'}`]
  const { currency } = amount
  const parts = billed.map(partInWords)
  const left = `left: ${printedAmount(amount)} ${currency}`
  const isWhole = parts.length === 0 && !derivation.setOff && !derivation.givenBack
  const rest = isWhole ? [] : [...parts, ...explainGivenBack(derivation), left]
  const here = derivation.givenBack ? `-${derivation.givenBack.takenBack}` : formatMoney(amount)
  const all = [parseMoney(here, currency) ?? amount, ...billed.map(standsFor)]
  const whole = sum(currency, all)
  // Of a dinar's thousandths only whole tens can be charged; what was kept before derivations told of it does not.
  const charged =
    formatMoney(whole) === derivation.amount || derivation.setOff
      ? []
      : [`charged, by the provider's steps: ${printedAmount(whole)} ${currency}`]
  return [...explainWhole(derivation), ...charged, ...rest, ...corrections.map(correctionInWords)]
}

/** By how much it lessens what is left, before discounts. */
function partInWords(part: BilledPart): string {
  const [whole, paid] = [standsFor(part), paidFor(part)]
  const lessened = `billed before: ${printedAmount(negate(whole))} ${whole.currency}`
  if (part.discounted.minor === 0n) return lessened
  return whole.minor < 0n
    ? `${lessened}, for which ${printedAmount(negate(paid))} came back`
    : `${lessened}, of which discounts took ${printedAmount(part.discounted)}`
}

/** What is counted and can no longer be shown. */
export const expiredInWords = ({ month, events }: ExpiredEvents): string =>
  `no longer kept: ${events === 1n ? '1 event' : `${printedDecimal(`${events}`)} events`} of ${formatMonth(month)}`

function correctionInWords(correction: UsageCorrection): string {
  const { eventId, removedQuantity, addedQuantity, addedEvents, periodStart, periodEnd } = correction
  const what =
    eventId === null
      ? `usage of ${formatInstant(periodStart)} … ${formatInstant(periodEnd)}`
      : `event ${eventId} of ${formatInstant(periodStart)}`
  const now = addedEvents === 0n ? 'nothing' : printedDecimal(addedQuantity)
  return `corrected ${formatInstant(correction.madeAt)}: ${what}, ${printedDecimal(removedQuantity)} → ${now}`
}
