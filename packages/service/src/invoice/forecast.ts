import { foreseeUsage, isForeseeable } from '@lockstep/core/forecast'
import type { Instant } from '@lockstep/core/instant'
import { isWorthSending } from '@lockstep/core/invoice'
import { add, type Money, sum } from '@lockstep/core/money'
import type { Quantity } from '@lockstep/core/quantity'
import { describeLine } from './describe.ts'
import { type LineToBill, linesToBill, periodOf, type RatingInput } from './rate.ts'

/** What a running period's invoice may say at its end. Shown, and never sent to anybody. */
export interface Forecast {
  readonly at: Instant
  /** To when usage is foreseen: the end of the period, or of the subscription where that is planned before. */
  readonly until: Instant
  /** Those that Lockstep rates of this period. */
  readonly lines: readonly ForecastLine[]
  /** With what else stands on the invoice: the fees to come, what came late, and what is pending at the provider. */
  readonly subtotal: Money
  /** After the discounts that are taken off then, and with tax: as far as the invoice's own total is. */
  readonly total: Money
}

interface ForecastLine {
  readonly key: string
  readonly description: string
  readonly quantity: Quantity | null
  readonly amount: Money
}

export interface Outlook {
  readonly at: Instant
  /** When the subscription is to end, as planned. */
  readonly cancelAt: Instant | null
  /** What an invoice with these lines, beside all others that stand on it, comes to. */
  readonly totalOf: (lines: readonly LineToBill[]) => Money
}

/**
 * The same rating as the invoice's own, of the usage that is foreseen: so tiers, shares and what is billed already
 * fall into place by themselves. A subscription that is to end inside the period is foreseen to its end, which
 * the period's will be then. Null where too little of the period is over, or all of it.
 */
export function forecast(
  whole: RatingInput,
  others: Money,
  { at, cancelAt, totalOf }: Outlook,
): Forecast | null {
  const input = endingBy(whole, cancelAt)
  const period = periodOf(input.invoice)
  if (!isForeseeable(period, at)) return null
  const usage = new Map(
    [...input.usage].map(([key, totals]) => {
      const meter = input.terms.meters.find((one) => one.key === key)
      return [key, meter ? foreseeUsage(meter, totals, { period, at }) : totals]
    }),
  )
  const foreseen = linesToBill({ ...input, usage, groups: foreseeGroups(input, at) }).filter(({ left }) =>
    isWorthSending(left),
  )
  const lines = foreseen.map((line) => {
    const { quantity, amount } = line.left
    return { key: line.line.key, description: describeLine(line), quantity, amount }
  })
  const rated = sum(
    input.invoice.currency,
    lines.map(({ amount }) => amount),
  )
  return { at, until: period.end, lines, subtotal: add(rated, others), total: totalOf(foreseen) }
}

function endingBy(input: RatingInput, cancelAt: Instant | null): RatingInput {
  const { invoice } = input
  if (cancelAt === null || cancelAt <= invoice.periodStart || cancelAt >= invoice.periodEnd) return input
  return { ...input, invoice: { ...invoice, periodEnd: cancelAt } }
}

/** Each group as if it were alone. */
function foreseeGroups({ invoice, terms, groups }: RatingInput, at: Instant): RatingInput['groups'] {
  const period = periodOf(invoice)
  return new Map(
    [...groups].map(([priceKey, list]) => {
      const price = terms.plan.prices.find(({ key }) => key === priceKey)
      const meter = terms.meters.find(({ key }) => key === price?.meter)
      const foreseen = list.map((group) => {
        const totals = meter ? foreseeUsage(meter, group.totals, { period, at }) : group.totals
        return { ...group, totals }
      })
      return [priceKey, foreseen]
    }),
  )
}
