import type Stripe from 'stripe'
import type { BillingWorld, Payer } from '../../../packages/service/test/support/billing-world.ts'

/** Half off everything, half off one invoice, or an amount off each. */
export interface LaidCoupon {
  readonly kind: 'half' | 'once' | 'amount'
  /** In Stripe's units; of the kind of that name. */
  readonly amount: bigint
}

/** What is left at an end is discounted as one renewal would be: on however many invoices it stands. */
export async function checkEnd(
  { stripe }: BillingWorld,
  { customer, subscription }: Payer,
  coupon: LaidCoupon | null,
): Promise<string[]> {
  const { ended_at: endedAt } = await stripe.subscriptions.retrieve(subscription)
  if (coupon === null || endedAt === null) return []
  const invoices: Stripe.Invoice[] = []
  for await (const invoice of stripe.invoices.list({ customer, limit: 100 })) invoices.unshift(invoice)
  const billed = invoices.filter(({ status, subtotal }) => status !== 'void' && subtotal > 0)
  const [before, after] = [
    billed.filter(({ created }) => created < endedAt),
    billed.filter(({ created }) => created >= endedAt),
  ]
  let left = coupon.kind === 'once' && before.some((one) => offOf(one) > 0n) ? 0n : coupon.amount
  const breaches: string[] = []
  for (const invoice of after) {
    const charged = await chargedOn(stripe, invoice.id)
    const half = (charged + 1n) / 2n
    const wanted =
      coupon.kind === 'half' ? half : left === 0n ? 0n : coupon.kind === 'once' ? half : least(left, charged)
    left = coupon.kind === 'once' ? 0n : left - wanted
    if (offOf(invoice) !== wanted)
      breaches.push(
        `Off ${invoice.id}, made after the end, ${offOf(invoice)} was taken instead of ${wanted}.`,
      )
  }
  return breaches
}

/** Nothing is taken off a credit. */
async function chargedOn(stripe: Stripe, invoice: string): Promise<bigint> {
  let charged = 0n
  for await (const { amount } of stripe.invoices.listLineItems(invoice, { limit: 100 }))
    if (amount > 0) charged += BigInt(amount)
  return charged
}

const offOf = ({ total_discount_amounts: all }: Stripe.Invoice) =>
  (all ?? []).reduce((sum, { amount }) => sum + BigInt(amount), 0n)

const least = (a: bigint, b: bigint) => (a < b ? a : b)
