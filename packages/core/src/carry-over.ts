import { add, type Money } from './money.ts'
import type { Price } from './price.ts'

/** What there is to bill of a subscription that pays no fee. */
export interface Waiting {
  /** Of periods whose invoices are final. */
  readonly before: Money
  /** Of how many such periods something is left. */
  readonly periodsBefore: number
  /** Of the period that is over while its draft is open; null where none is. */
  readonly closing: Money | null
  /** Of the period that runs. */
  readonly current: Money
}

/** Whose lines are not billed yet. */
export interface HeldBack {
  readonly before: boolean
  readonly closing: boolean
  readonly current: boolean
}

/** However little it is: a year of monthly pennies is collected, and no invoice is rated for ever. */
export const MOST_PERIODS_CARRIED = 12

/**
 * What is carried to the next invoice, because it comes to less than an invoice is collected from. A draft that is
 * open takes what is over; if that is too little, it waits for the period that runs. What is not above zero
 * collects nothing and is never held back: a credit reaches its customer.
 */
export function heldBack(from: Money, { before, periodsBefore, closing, current }: Waiting): HeldBack {
  if (periodsBefore >= MOST_PERIODS_CARRIED) return nothing
  const isTooLittle = ({ minor }: Money) => minor > 0n && minor < from.minor
  const over = closing === null ? before : add(before, closing)
  if (closing !== null && !isTooLittle(over)) return { ...nothing, current: isTooLittle(current) }
  const waits = isTooLittle(add(over, current))
  return { before: waits, closing: closing !== null, current: waits }
}

const nothing: HeldBack = { before: false, closing: false, current: false }

/** Whether a plan's invoices wait until there is enough; its fee says so, which costs nothing. */
export function carriesOver(prices: readonly Price[]): boolean {
  return prices.some(({ collectFrom }) => collectFrom !== undefined)
}
