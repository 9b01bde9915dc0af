import { describeOff } from '@lockstep/core/discount'
import { type Money, money, subtract, zero } from '@lockstep/core/money'
import { printedAmount } from '@lockstep/core/printed-amount'
import type { Db } from '../postgres/connect.ts'
import { fromStripeAmount, fromStripeUnits } from '../provider/stripe/amount.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { discountsSeen } from '../store/provider-discounts.ts'
import type { ProviderSums } from '../store/provider-sums.ts'
import type { InvoiceSums, ShownDiscount, ShownTax } from './sums.ts'

/** What the provider's final invoice says, by the same names as while it is open. */
export async function finalSums(db: Db, invoice: InvoiceRow): Promise<InvoiceSums> {
  const { currency, providerSums } = invoice
  const subtotal = money(invoice.subtotal ?? 0n, currency)
  const total = money(invoice.total ?? 0n, currency)
  const amountDue = money(invoice.amountDue ?? 0n, currency)
  if (!providerSums) return { ...plainSums(subtotal), total, amountDue, ...rest(subtotal, total) }
  const units = (list: readonly { readonly amount: number }[]) =>
    list.reduce((all, { amount }) => all + BigInt(amount), 0n)
  const { startingBalance, endingBalance } = providerSums
  return {
    ...{ subtotal, total, amountDue },
    discounts: await discountsOf(db, providerSums, currency),
    discountTotal: fromStripeUnits(units(providerSums.discounts), currency),
    tax: taxOf(providerSums, currency),
    balance: {
      before: fromStripeAmount(startingBalance, currency),
      after: endingBalance === null ? null : fromStripeAmount(endingBalance, currency),
      explanation: 'As it was when the invoice became final.',
    },
    unknown: [],
  }
}

/** Of an invoice without anything but its lines. */
export function plainSums(subtotal: Money): InvoiceSums {
  const none = zero(subtotal.currency)
  return {
    ...{ subtotal, discounts: [], discountTotal: none, total: subtotal },
    tax: { amount: none, included: none, certainty: 'certain', explanation: ['No tax rates apply.'] },
    ...{ balance: null, amountDue: null, unknown: [] },
  }
}

/** What was final before it was kept what is between subtotal and total. */
function rest(subtotal: Money, total: Money): Partial<InvoiceSums> {
  if (subtract(total, subtotal).minor === 0n) return {}
  const tax: ShownTax = {
    ...{ amount: null, included: null, certainty: 'unknown' },
    explanation: ['The payment provider has it on its invoice.'],
  }
  return { tax, unknown: ['discounts', 'tax'] }
}

async function discountsOf(db: Db, { discounts }: ProviderSums, currency: string): Promise<ShownDiscount[]> {
  const seen = await discountsSeen(
    db,
    discounts.map(({ discount }) => discount),
  )
  return discounts.map(({ discount, amount: units }) => {
    const terms = seen.find(({ id }) => id === discount)?.terms
    const amount = fromStripeAmount(units, currency)
    const text = `${printedAmount(amount)} ${currency}`
    return {
      ...{ name: terms?.name ?? discount, coupon: terms?.coupon ?? null, source: null, amount },
      explanation: terms ? `${describeOff(terms)}: ${text}` : `${text}, by the payment provider`,
    }
  })
}

function taxOf({ taxes }: ProviderSums, currency: string): ShownTax {
  const ours = (units: bigint) => fromStripeUnits(units, currency)
  const sumOf = (list: ProviderSums['taxes']) => list.reduce((all, { amount }) => all + BigInt(amount), 0n)
  return {
    amount: ours(sumOf(taxes)),
    included: ours(sumOf(taxes.filter(({ inclusive }) => inclusive))),
    certainty: 'certain',
    explanation:
      taxes.length === 0
        ? ['The payment provider took no tax.']
        : taxes.map(({ amount, inclusive, taxable, rate }) => {
            const text = (units: number) => `${printedAmount(fromStripeAmount(units, currency))} ${currency}`
            const of = taxable === null ? '' : ` ${inclusive ? 'contained beside' : 'on'} ${text(taxable)}`
            return `${text(amount)}${of}, by the payment provider${rate === null ? '' : ` (${rate})`}`
          }),
  }
}
