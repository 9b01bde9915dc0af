import { amountDue, type Due } from '@lockstep/core/amount-due'
import { describeOff } from '@lockstep/core/discount'
import { type DiscountableLine, type DiscountToShare, shareDiscounts } from '@lockstep/core/discount-share'
import { divideRounded } from '@lockstep/core/divide'
import { type Currency, type Money, money } from '@lockstep/core/money'
import { printedAmount } from '@lockstep/core/printed-amount'
import type { StandingDiscount } from '@lockstep/core/standing-discount'
import { type TaxRate, taxesOn } from '@lockstep/core/tax-rate'
import { chargeStep, fromStripeUnits, toStripeUnits } from '../provider/stripe/amount.ts'
import { minimumCharge } from '../provider/stripe/minimum-charge.ts'
import type { SumTerms } from '../provider/stripe/to-sum-terms.ts'
import type { TaxSeen } from '../store/sum-terms.ts'

/** A line as Stripe sums it, in Stripe's units. */
export interface LineToSum extends DiscountableLine {
  /** What was taken off already when it was made: of a proration whose discounts are told apart. */
  readonly takenBefore: bigint
  /** Its own, which take the place of the invoice's. */
  readonly taxRates: readonly TaxRate[]
}

/** What is taken off an invoice by one agreement. */
export interface ShownDiscount {
  readonly name: string
  /** The catalogue's key of it, if it has one. */
  readonly coupon: string | null
  /** What it was given to; `line` is one of the provider's own lines. Null where the provider does not say any more. */
  readonly source: 'item' | 'subscription' | 'customer' | 'line' | null
  /** Above zero. */
  readonly amount: Money
  readonly explanation: string
}

export interface ShownTax {
  /** All of it. Null where it is not known. */
  readonly amount: Money | null
  /** What of it the amounts contain already; the rest comes on top. */
  readonly included: Money | null
  readonly certainty: 'certain' | 'estimated' | 'unknown'
  readonly explanation: readonly string[]
}

/** The customer's balance at the provider, which is no part of a total; below zero it is credit. */
export interface ShownBalance {
  readonly before: Money
  readonly after: Money | null
  readonly explanation: string
}

export interface InvoiceSums {
  /** Of all lines. */
  readonly subtotal: Money
  readonly discounts: readonly ShownDiscount[]
  readonly discountTotal: Money
  readonly tax: ShownTax
  readonly total: Money
  /** Null where the customer was not seen at the provider so far. */
  readonly balance: ShownBalance | null
  readonly amountDue: Money | null
  /** What the provider will take into account and the total does not: it is not known here. Empty: the total is whole. */
  readonly unknown: readonly Unknown[]
}

export type Unknown = 'discounts' | 'tax'

export interface ToSum {
  readonly currency: Currency
  /** In the order in which the provider lists them: a rest goes to the last. */
  readonly lines: readonly LineToSum[]
  /** Those that are taken off, in their order. */
  readonly discounts: readonly (Pick<StandingDiscount, 'products' | 'terms'> & {
    readonly source: NonNullable<ShownDiscount['source']>
    /** The provider's item, or line, that it is taken off alone. */
    readonly item: string | null
  })[]
  /** Undefined where the provider does not know the subscription yet. */
  readonly terms: SumTerms | undefined
  readonly taxSeen: TaxSeen | undefined
  /** Something is taken off, and nobody asked so far what. */
  readonly hasUnread: boolean
}

/**
 * What the provider will make of the lines: its discounts, then tax on what they leave, line by line; and what of that
 * total will be due. All is counted in its units, as it rounds there.
 * https://docs.stripe.com/api/invoices/object#invoice_object-total
 */
export function sumInvoice(toSum: ToSum): InvoiceSums {
  const { currency, lines, terms } = toSum
  const ours = (units: bigint) => fromStripeUnits(units, currency)
  const subtotal = lines.reduce((sum, { amount, takenBefore }) => sum + amount + takenBefore, 0n)
  const shared = discountsOf(toSum)
  const net = shared.left.reduce((sum, amount) => sum + amount, 0n)
  const tax = taxOf(toSum, shared.left, net)
  const total = net + tax.exclusive
  const due = terms && terms.balance !== null ? dueOf(total, terms, terms.balance, currency) : undefined
  return {
    subtotal: ours(subtotal),
    discounts: shared.shown,
    discountTotal: ours(subtotal - net),
    tax: tax.shown,
    total: ours(total),
    balance: due?.balance ?? null,
    amountDue: due?.amount ?? null,
    unknown: [
      ...(toSum.hasUnread ? (['discounts'] as const) : []),
      ...(tax.shown.certainty === 'unknown' ? (['tax'] as const) : []),
    ],
  }
}

function discountsOf({ currency, lines, discounts }: ToSum) {
  const usable = discounts.flatMap((one) => {
    const toShare = toShareOf(one, currency)
    return toShare ? [{ ...one, toShare }] : []
  })
  const { taken, of, left } = shareDiscounts(
    lines,
    usable.map(({ toShare }) => toShare),
  )
  const ours = (units: bigint) => fromStripeUnits(units, currency)
  const shown = usable.map(({ terms, source }, i): ShownDiscount => {
    const amount = ours(taken[i] ?? 0n)
    const base = `${printedAmount(ours(of[i] ?? 0n))} ${currency}`
    return {
      ...{ name: terms.name, coupon: terms.coupon, source, amount },
      explanation: `${describeOff(terms)} off ${base}: ${printedAmount(amount)} ${currency}`,
    }
  })
  const before = lines.reduce((sum, { takenBefore }) => sum + takenBefore, 0n)
  const ofProrations: ShownDiscount = {
    ...{ name: 'Discounts of prorations', coupon: null, source: 'line', amount: ours(before) },
    explanation: 'Taken off by the payment provider when it made them.',
  }
  return { left, shown: before === 0n ? shown : [...shown, ofProrations] }
}

/** An amount is taken off in its own currency only: a customer's discount of another one does nothing here. */
function toShareOf(
  { terms: { off }, products, item }: ToSum['discounts'][number],
  currency: Currency,
): DiscountToShare | undefined {
  if (off.kind === 'percent') return { off, products, item }
  if (off.currency !== currency) return undefined
  return {
    off: { kind: 'amount', amount: toStripeUnits(money(BigInt(off.minor), currency)) },
    ...{ products, item },
  }
}

interface Taxed {
  readonly exclusive: bigint
  readonly shown: ShownTax
}

function taxOf(toSum: ToSum, left: readonly bigint[], net: bigint): Taxed {
  const { currency, terms, taxSeen } = toSum
  const ours = (units: bigint) => fromStripeUnits(units, currency)
  const certain = (exclusive: bigint, inclusive: bigint, explanation: readonly string[]): Taxed => ({
    exclusive,
    shown: {
      ...{ amount: ours(exclusive + inclusive), included: ours(inclusive) },
      ...{ certainty: 'certain', explanation },
    },
  })
  if (!terms) return unknownTax('The payment provider does not know the subscription yet.')
  if (terms.isTaxExempt) return certain(0n, 0n, ['The customer is exempt from tax.'])
  if (!terms.isTaxedElsewhere) return certain(...atRates(toSum, left, terms))
  if (taxSeen) return estimated(taxSeen, net, currency)
  const taxRates = ratesSaid(terms)
  if (taxRates.length === 0) return unknownTax(NEVER_TAXED)
  const [exclusive, inclusive, explanation] = atRates(toSum, left, { taxRates })
  const { shown } = certain(exclusive, inclusive, [NEVER_TAXED, ...explanation])
  return { exclusive, shown: { ...shown, certainty: 'estimated' } }
}

/** Whoever taxes it goes by these, as far as anybody can tell: the subscription's, or those of its items. */
const ratesSaid = ({ taxRates, items }: SumTerms): readonly TaxRate[] =>
  taxRates.length > 0 ? taxRates : (items.find((item) => item.taxRates.length > 0)?.taxRates ?? [])

const NEVER_TAXED =
  'It is computed by the payment provider, and no invoice of this subscription says yet what it comes to.'

const unknownTax = (why: string): Taxed => ({
  exclusive: 0n,
  shown: { amount: null, included: null, certainty: 'unknown', explanation: [why] },
})

/** As much of the amount as it was on the newest invoice. */
function estimated(
  { invoiceId, withoutTax, exclusive, inclusive }: TaxSeen,
  net: bigint,
  currency: Currency,
): Taxed {
  // What an amount contains is a share of what it is without the rest.
  const included = divideRounded(net * inclusive, withoutTax + inclusive)
  const onTop = divideRounded(net * exclusive, withoutTax + inclusive)
  return {
    exclusive: onTop,
    shown: {
      amount: fromStripeUnits(onTop + included, currency),
      included: fromStripeUnits(included, currency),
      certainty: 'estimated',
      explanation: [
        `It is computed by the payment provider. As much of the amount as on the invoice before, ${invoiceId}.`,
      ],
    },
  }
}

/** Line by line and rate by rate, each rounded by itself. https://docs.stripe.com/billing/taxes/tax-rates */
function atRates(
  { currency, lines }: ToSum,
  left: readonly bigint[],
  { taxRates }: Pick<SumTerms, 'taxRates'>,
): [exclusive: bigint, inclusive: bigint, explanation: string[]] {
  const byRate = new Map<string, { rate: TaxRate; amount: bigint; base: bigint }>()
  for (const [i, line] of lines.entries()) {
    const rates = line.taxRates.length > 0 ? line.taxRates : taxRates
    const base = left[i] ?? 0n
    for (const [j, amount] of taxesOn(base, rates).entries()) {
      const rate = rates[j]
      if (!rate) continue
      const before = byRate.get(rate.id)
      byRate.set(rate.id, {
        ...{ rate, amount: (before?.amount ?? 0n) + amount, base: (before?.base ?? 0n) + base },
      })
    }
  }
  const all = [...byRate.values()]
  const sumOf = (isInclusive: boolean) =>
    all.reduce((sum, { rate, amount }) => sum + (rate.inclusive === isInclusive ? amount : 0n), 0n)
  const text = (units: bigint) => `${printedAmount(fromStripeUnits(units, currency))} ${currency}`
  const words = all.map(
    ({ rate, amount, base }) =>
      `${rate.name} ${rate.percent} % ${rate.inclusive ? 'contained in' : 'on'} ${text(base)}: ${text(amount)}`,
  )
  return [sumOf(false), sumOf(true), words.length === 0 ? ['No tax rates apply.'] : words]
}

function dueOf(
  total: bigint,
  { isCharged }: SumTerms,
  balance: bigint,
  currency: Currency,
): { readonly amount: Money; readonly balance: ShownBalance } {
  const ours = (units: bigint) => fromStripeUnits(units, currency)
  const step = toStripeUnits(money(chargeStep(currency), currency))
  const minimum = isCharged ? minimumCharge(currency) : 1n
  const due = amountDue(total, balance, { minimum, step })
  return {
    amount: ours(due.amount),
    balance: { before: ours(balance), after: ours(due.balance), explanation: becomes[due.why] },
  }
}

const becomes: Readonly<Record<Due['why'], string>> = {
  charged: 'The total is due, with what the balance owes or less what it has to give.',
  credited: 'A total below zero is credit on the balance.',
  coveredByBalance: 'The balance has enough to pay it.',
  belowMinimum: 'It is less than can be charged: nothing is due, and it stays owed on the balance.',
  roundedToStep: 'Only whole steps of the currency are charged: the difference stays on the balance.',
}
