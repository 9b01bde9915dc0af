import { type Coupon, couponDurations, type Reduction } from '../coupon.ts'
import { type Instant, parseInstant } from '../instant.ts'
import { type KnownCurrency, readDecimalText, readMoney } from './amounts.ts'
import { readCurrency } from './read-plan.ts'
import type { Reader } from './reader.ts'

/** Stripe's longest repetition that still ends before anybody forgets it. */
const MAX_MONTHS = 120
const MAX_REDEMPTIONS = 1_000_000

export function readCoupon([key, reader]: [string, Reader], standard: KnownCurrency): Coupon {
  const duration = reader.oneOf('duration', couponDurations)
  const coupon = {
    key,
    name: reader.text('name'),
    reduction: readReduction(reader, standard),
    duration,
    durationInMonths: duration === 'repeating' ? readMonths(reader) : null,
    redeemBy: readRedeemBy(reader),
    maxRedemptions: reader.has('maxRedemptions')
      ? reader.integer('maxRedemptions', { min: 1, max: MAX_REDEMPTIONS, otherwise: 1 })
      : null,
  }
  // Stripe's limit.
  if (coupon.name.length > 40)
    reader.refuse('name', 'too_long', 'The name of a coupon has at most 40 characters.')
  reader.end()
  return coupon
}

function readReduction(reader: Reader, standard: KnownCurrency): Reduction {
  const currency = reader.has('currency') ? readCurrency(reader) : standard
  if (reader.has('percentOff') === reader.has('amountOff')) {
    reader.refuse(null, 'invalid', 'A coupon takes off either percentOff or amountOff.')
    return { kind: 'share', basisPoints: 1 }
  }
  if (reader.has('percentOff')) return { kind: 'share', basisPoints: readBasisPoints(reader) }
  const amount = readMoney(reader, 'amountOff', currency)
  if (amount.minor === 0n) reader.refuse('amountOff', 'amount_invalid', 'A coupon takes off something.')
  return { kind: 'amount', amount }
}

/** A percentage above 0 and at most 100, no finer than hundredths. */
function readBasisPoints(reader: Reader): number {
  const text = readDecimalText(reader, 'percentOff')
  const [, whole = '', hundredths = ''] = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(text ?? '') ?? []
  const basisPoints = Number(whole) * 100 + Number(hundredths.padEnd(2, '0'))
  if (whole !== '' && basisPoints > 0 && basisPoints <= 10_000) return basisPoints
  if (text !== undefined)
    reader.refuse('percentOff', 'invalid', 'A percentage is text from "0.01" to "100", in hundredths.')
  return 1
}

function readMonths(reader: Reader): number {
  if (!reader.has('durationInMonths'))
    reader.refuse('durationInMonths', 'required', 'A repeating coupon says for how many months.')
  return reader.integer('durationInMonths', { min: 1, max: MAX_MONTHS, otherwise: 1 })
}

function readRedeemBy(reader: Reader): Instant | null {
  if (!reader.has('redeemBy')) return null
  const instant = parseInstant(reader.text('redeemBy'))
  if (instant !== undefined) return instant
  reader.refuse('redeemBy', 'invalid', 'A time is written like 2026-12-31T23:00:00Z.')
  return null
}
