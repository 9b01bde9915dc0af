import type { LineRow } from '../rows.ts'
import { divideRounded, PICOS, parseDecimal } from '../rules/decimal.ts'

/** A discount as the totals need it. */
export interface Reduction {
  readonly discount: string
  readonly percentOff: string | null
  readonly amountOff: number | null
  /** Products that it is limited to; empty means all. */
  readonly products: readonly string[]
  /** A discount of single lines, which is taken off before those of the whole invoice. */
  readonly ofLines?: boolean
}

export interface Totals {
  readonly lines: readonly LineRow[]
  readonly subtotal: number
  readonly total: number
  readonly discounts: readonly { readonly amount: number; readonly discount: string }[]
}

/**
 * Adds the lines up and shares the discounts out over them: in their order, each on what the ones before
 * left, never below zero. An amount is shared in proportion, rounded down, the rest on the last line.
 * https://docs.stripe.com/billing/subscriptions/coupons and .../billing-mode
 */
export function totalOf(lines: readonly LineRow[], reductions: readonly Reduction[]): Totals {
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0)
  if (reductions.length === 0) {
    const plain = lines.every(
      (line) => line.discount_amounts?.length === included(line).length && line.own.net === line.amount,
    )
    const same = plain ? lines : lines.map((line) => withDiscounts(line, []))
    return { lines: same, subtotal, total: subtotal, discounts: [] }
  }
  const left = lines.map((line) => line.amount)
  const taken = lines.map((): { amount: number; discount: string }[] => [])
  const discounts: { amount: number; discount: string }[] = []
  for (const reduction of reductions) {
    const eligible = lines.flatMap((line, i) => (appliesTo(reduction, line) && (left[i] ?? 0) > 0 ? [i] : []))
    const base = eligible.reduce((sum, i) => sum + (left[i] ?? 0), 0)
    const amount = Math.min(base, amountOf(reduction, base))
    let given = 0
    for (const [position, i] of eligible.entries()) {
      const last = position === eligible.length - 1
      const share = last ? amount - given : Number((BigInt(amount) * BigInt(left[i] ?? 0)) / BigInt(base))
      given += share
      left[i] = (left[i] ?? 0) - share
      taken[i]?.push({ amount: share, discount: reduction.discount })
    }
    discounts.push({ amount, discount: reduction.discount })
  }
  const off = discounts.reduce((sum, { amount }) => sum + amount, 0)
  return {
    lines: lines.map((line, i) => withDiscounts(line, taken[i] ?? [])),
    subtotal,
    total: subtotal - off,
    discounts,
  }
}

/** What a reduction takes off a base, to the minor unit, before it is held to the base. */
export function amountOf({ amountOff, percentOff }: Reduction, base: number): number {
  if (amountOff !== null) return amountOff
  return Number(divideRounded(BigInt(base) * parseDecimal(percentOff ?? '0'), 100n * PICOS))
}

function appliesTo({ products, discount, ofLines }: Reduction, line: LineRow): boolean {
  if (!line.discountable) return false
  if (ofLines === true && !line.discounts.some((own) => own === discount)) return false
  return products.length === 0 || (line.own.appliesTo !== null && products.includes(line.own.appliesTo))
}

/** Discounts that are in the amount of a proration already are named and take nothing off. */
function included(line: LineRow): { amount: number; discount: string }[] {
  const named = line.discountable ? [] : (line.discount_amounts ?? [])
  return named.filter(({ amount }) => amount === 0) as { amount: number; discount: string }[]
}

function withDiscounts(line: LineRow, taken: { amount: number; discount: string }[]): LineRow {
  const off = taken.reduce((sum, { amount }) => sum + amount, 0)
  return {
    ...line,
    discount_amounts: [...included(line), ...taken],
    pretax_credit_amounts: taken.map(({ amount, discount }) => ({ amount, discount, type: 'discount' })),
    own: { ...line.own, net: line.amount - off },
  }
}

export interface BalanceEffect {
  readonly amountDue: number
  readonly endingBalance: number
}

/** What can be charged in a currency: nothing less than `minimum`, and only multiples of `step`. */
export interface Chargeable {
  readonly minimum: number
  readonly step: number
}

/**
 * What the customer's balance (negative is credit) makes of a total. A negative total becomes credit; less
 * than the minimum charge cannot be charged and becomes a debit for the next invoice. A fraction of what can
 * be charged is rounded to the nearest, an exact half up, and the difference is credited or debited to the
 * balance. https://docs.stripe.com/billing/customer/balance and https://docs.stripe.com/currencies#special-cases
 */
export function applyBalance(total: number, balance: number, { minimum, step }: Chargeable): BalanceEffect {
  const owed = total + balance
  if (owed <= 0) return { amountDue: 0, endingBalance: owed }
  const due = Math.floor((owed + step / 2) / step) * step
  if (due < minimum) return { amountDue: 0, endingBalance: owed }
  return { amountDue: due, endingBalance: owed - due }
}
