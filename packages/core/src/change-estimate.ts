import { divideRounded } from './divide.ts'
import type { Instant } from './instant.ts'
import { type ExactAmount, type Money, money, round } from './money.ts'
import type { Period } from './period.ts'
import type { Price } from './price.ts'
import { priceFee } from './pricing/price-fee.ts'

/** One recurring price that the provider bills, as it stands on a subscription. */
export interface EstimateItem {
  /** Tells it from others: an item whose price and number stay is not touched by a change. */
  readonly id: string
  readonly price: Price
  readonly quantity: number
}

export interface EstimateInput {
  readonly before: readonly EstimateItem[]
  readonly after: readonly EstimateItem[]
  /** The period that runs, paid for at its beginning and never changed since. */
  readonly period: Period
  readonly at: Instant
  /** A whole new period begins at `at`. */
  readonly startsPeriod: boolean
}

export interface EstimatedLine {
  readonly price: string
  readonly kind: 'credit' | 'debit'
  readonly amount: Money
}

/**
 * What a change in the middle of a period must come to, said a second time and independently of the
 * provider: for each price that changes, the unused part of what was paid is given back and the rest of
 * the period is charged, to the second, each line rounded by itself, half away from zero.
 * https://docs.stripe.com/billing/subscriptions/prorations
 *
 * It knows no discounts, no tax and no earlier change in the same period; where there are any, nobody
 * should ask it.
 */
export function estimateChange(input: EstimateInput): EstimatedLine[] {
  const { before, after, startsPeriod } = input
  const stays = (item: EstimateItem, others: readonly EstimateItem[]) =>
    !startsPeriod && others.some(({ id, quantity }) => id === item.id && quantity === item.quantity)
  return [
    ...before.filter((item) => !stays(item, after)).map((item) => credit(item, input)),
    ...after.filter((item) => !stays(item, before)).map((item) => debit(item, input)),
  ]
}

/** What was paid is money already, and was rounded then. */
function credit({ price, quantity }: EstimateItem, { period, at }: EstimateInput): EstimatedLine {
  const paid = round(exactOf(price, quantity))
  const unused = partOf(paid.minor, period, at)
  return { price: price.key, kind: 'credit', amount: money(-unused, paid.currency) }
}

function debit({ price, quantity }: EstimateItem, input: EstimateInput): EstimatedLine {
  const exact = exactOf(price, quantity)
  if (input.startsPeriod) return { price: price.key, kind: 'debit', amount: round(exact) }
  const { period, at } = input
  const rest = partOf(exact.scaled, period, at, SCALED_PER_MINOR)
  return { price: price.key, kind: 'debit', amount: money(rest, exact.currency) }
}

function exactOf(price: Price, quantity: number): ExactAmount {
  return priceFee(price, BigInt(quantity)).exact
}

/** An exact amount is counted in 1e-21 of a minor unit. */
const SCALED_PER_MINOR = 10n ** 21n

/** The part of an amount that belongs to the time from `at` on, in minor units, rounded once. */
function partOf(amount: bigint, { start, end }: Period, at: Instant, scale = 1n): bigint {
  return divideRounded(amount * BigInt(end - at), BigInt(end - start) * scale)
}
