import { type Adjustment, adjustmentLine } from '@lockstep/core/adjustment'
import { type BillingCycle, wholePeriodOf } from '@lockstep/core/billing-cycle'
import { carriesOver } from '@lockstep/core/carry-over'
import type { Commitment } from '@lockstep/core/commitment'
import type { Derivation } from '@lockstep/core/derivation'
import type { BilledPart } from '@lockstep/core/given-back'
import { type Billable, isWorthSending, remainder } from '@lockstep/core/invoice'
import type { UsageTotals } from '@lockstep/core/meter'
import { type Currency, type Money, parseMoney, sum, zero } from '@lockstep/core/money'
import type { Period } from '@lockstep/core/period'
import { freeReason, type Plan } from '@lockstep/core/plan'
import { isBilledByProvider } from '@lockstep/core/price'
import { feesOf } from '@lockstep/core/pricing/price-fee'
import { type RatedLine, rate } from '@lockstep/core/rating'
import { usageCycleOf } from '@lockstep/core/usage-cycle'
import type { UsageGroup } from '@lockstep/core/usage-group'
import { chargeStep, toChargeable } from '../provider/stripe/amount.ts'
import type { CouponLimit } from '../store/coupon-limits.ts'
import type { ItemRow } from '../store/invoice-items.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import type { RatingTerms } from '../store/rating-terms.ts'
import type { Row } from '../store/schema.ts'
import { asPaid, toBilledPart } from './as-paid.ts'
import { goneLines } from './gone-lines.ts'
import { settledTogether } from './settled-together.ts'

/** What rating has to know of the subscription. */
export const ratedColumns = [
  'quantity',
  'itemNumbers',
  'trialStart',
  'trialEnd',
  'status',
  'billingCycleAnchor',
] as const

export type RatedSubscription = Pick<Row<'subscription'>, (typeof ratedColumns)[number]>

/** A line of one period, with what is still to bill of it. */
export interface LineToBill {
  readonly origin: InvoiceRow
  readonly line: RatedLine
  /** How many parts of it are billed already. */
  readonly revision: number
  /** Its plan carries what is too little: what is left of a final period may have waited for more. */
  readonly mayWait: boolean
  readonly billed: readonly BilledPart[]
  /**
   * In amounts that the provider charges, less what other lines of its period meet of it. What is charged is before
   * discounts; what gives back is what was paid for it.
   */
  readonly left: Billable
  /** Of what gives back: what discounts had taken off what it takes back. */
  readonly discounted: Money
  readonly setOff: readonly SetOffPart[]
  /** How much of {@link setOff} was told with the last part that is billed: what comes now comes after it. */
  readonly setOffBefore: Money
}

/** What another line of a period meets of one: below zero what it gives back, above zero what it charges. */
export interface SetOffPart {
  readonly name: string
  readonly amount: Money
}

export interface RatingInput {
  readonly invoice: InvoiceRow
  readonly terms: RatingTerms
  readonly subscription: RatedSubscription
  readonly usage: ReadonlyMap<string, UsageTotals>
  /** Of prices that group, by price key; groups that were billed and are not used any more among them. */
  readonly groups: ReadonlyMap<string, readonly UsageGroup[]>
  /** In the order in which they were made, those that were withdrawn among them. */
  readonly adjustments: readonly Adjustment[]
  /** Every item of this invoice's lines. */
  readonly items: readonly ItemRow[]
  /** By the provider's invoice on which items of theirs are billed: the products that its coupons are limited to. */
  readonly limits: ReadonlyMap<string, readonly CouponLimit[]>
}

/**
 * Rates a period and subtracts what finalized invoices carry of it, line by line; then what some lines give back is set
 * off against what others charge, and what is left of it is given back as it was paid.
 */
export function linesToBill(input: RatingInput): LineToBill[] {
  const { invoice, items, adjustments, terms } = input
  const mayWait = carriesOver(terms.plan.prices)
  const adjusted = adjustments.map((one) => adjustmentLine(one, periodOf(invoice), terms.plan.product))
  const rated = [...rateInvoice(input), ...adjusted]
  const { product, currency } = terms.plan
  const gone = goneLines(items, rated, { period: periodOf(invoice), product, currency })
  const billedOf = Map.groupBy(
    items.filter(({ state }) => state === 'billed'),
    ({ lineKey }) => lineKey,
  )
  const lines = [...rated, ...gone].map((line): LineToBill => {
    const parts = billedOf.get(line.key) ?? []
    const billed = parts.map((part) => toBilledPart(part, invoice.currency))
    // Whatever was billed was in the provider's steps, so the whole is too: else half a step never settles.
    const left = remainder({ quantity: line.quantity, amount: toChargeable(line.amount) }, billed)
    return {
      origin: invoice,
      line,
      revision: parts.length,
      mayWait,
      billed,
      left,
      discounted: zero(invoice.currency),
      setOff: [],
      setOffBefore: setOffOf(parts.at(-1)?.derivation ?? null, invoice.currency),
    }
  })
  return settledTogether(lines, input, new Set(gone.map(({ key }) => key))).map(asPaid)
}

function setOffOf(derivation: Derivation | null, currency: Currency): Money {
  const met = (derivation?.setOff ?? []).map(({ key, amount }) => {
    const read = parseMoney(amount, currency)
    if (!read) throw new Error(`What ${key} met of a line is written as ${amount} ${currency}.`)
    return read
  })
  return sum(currency, met)
}

export function hasSomethingLeft(lines: readonly LineToBill[]): boolean {
  return lines.some(({ left }) => isWorthSending(left))
}

function rateInvoice({ invoice, terms, subscription, usage, groups, items }: RatingInput): RatedLine[] {
  const { plan, meters } = terms
  const period = periodOf(invoice)
  const inTrial = invoice.inTrial ?? isInTrial(period, subscription)
  // The provider bills nothing for the time of a trial, so there is nothing to take a share of.
  const recurringFee = inTrial ? zero(plan.currency) : feeOf(plan, subscription)
  return rate({
    period,
    prices: plan.prices,
    meters,
    usage,
    groups,
    billed: new Set(items.flatMap(({ state, lineKey }) => (state === 'billed' ? [lineKey] : []))),
    recurringFee,
    free: freeReason(plan, inTrial),
    // What is promised for a time is promised for the time that is paid.
    promised: inTrial ? null : commitmentOf(invoice, usageCycleOf(plan, subscription.billingCycleAnchor)),
    step: chargeStep(plan.currency),
  })
}

/** Of a period that was opened before it was written down what it is. */
function isInTrial(period: Period, { trialStart, trialEnd }: RatedSubscription): boolean {
  return trialStart !== null && trialEnd !== null && trialStart <= period.start && period.end <= trialEnd
}

function commitmentOf(invoice: InvoiceRow, cycle: BillingCycle): Commitment {
  const { start, end } = periodOf(invoice)
  const { wholeEnd, promisedFrom, promisedUntil } = invoice
  const from = Math.min(promisedFrom ?? start, end)
  return {
    time: { start: from, end: Math.max(from, Math.min(promisedUntil ?? end, end)) },
    whole: wholeEnd === null ? wholePeriodOf({ start, end }, cycle) : { start, end: wholeEnd },
  }
}

export function periodOf({ periodStart, periodEnd }: Pick<InvoiceRow, 'periodStart' | 'periodEnd'>): Period {
  return { start: periodStart, end: periodEnd }
}

/** What the provider bills for a whole period of these prices. */
function feeOf({ prices, currency }: Plan, { quantity, itemNumbers }: RatedSubscription): Money {
  return sum(currency, feesOf(prices.filter(isBilledByProvider), quantity, itemNumbers))
}
