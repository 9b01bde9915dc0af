import { discountsLeft, type StandingDiscount } from '@lockstep/core/standing-discount'
import type Stripe from 'stripe'
import { readGiven, takenOff } from '../../invoice/sum-context.ts'
import type { Db } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import { chargeStep } from '../../provider/stripe/amount.ts'
import { makeOnceMore } from '../../provider/stripe/coupons.ts'
import { standsFor } from '../../store/discounts-given.ts'
import { holdDiscounts, lockDiscounts } from '../../store/held-discounts.ts'
import type { InvoiceRow } from '../../store/invoices.ts'
import { standingDiscounts } from '../../store/standing-discounts.ts'
import type { LookDeps } from '../look.ts'
import type { Picture } from './picture.ts'

/** What an invoice is made with, so that it takes off what the renewal would have taken off. */
export interface RestDiscounts {
  /** The empty text: nothing, not even what the customer has. */
  readonly discounts: Stripe.InvoiceCreateParams.Discount[] | ''
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The discounts of what is left of a subscription that is over. Its own are named by nobody any more: a discount may be
 * used by the object that has it and by what belongs to that, and no invoice belongs to what is over. Nor can its coupon
 * be redeemed again, which may have run out, be used up, or be somebody else's last. So each is given as a coupon of its
 * own for this one invoice. The customer's is the invoice's too, and is used as it is.
 * https://docs.stripe.com/api/invoices/create#create_invoice-discounts
 */
export async function restDiscounts(
  deps: LookDeps,
  { subscription }: Picture,
  home: InvoiceRow,
  operation: string,
): Promise<RestDiscounts> {
  const { id: subscriptionId, endedAt } = subscription
  const standing = await standingDiscounts(deps.db, subscriptionId)
  const at = Math.min(home.periodEnd, endedAt ?? home.periodEnd)
  const whole = takenOff(standing, at, new Set()).discounts
  const wanted = await holdWanted(
    deps.db,
    whole.filter(({ scope }) => scope !== 'item'),
    home,
    subscriptionId,
  )
  const discounts: Stripe.InvoiceCreateParams.Discount[] = []
  const metadata: Record<string, string> = {}
  for (const one of wanted) {
    if (one.scope === 'customer' && whole.includes(one)) {
      discounts.push({ discount: one.id })
      continue
    }
    const id = `${operation}/${one.id}/${offText(one)}`
    const coupon = await makeOnceMore(deps, { ...one, id, subjectId: home.id })
    discounts.push({ coupon })
    metadata[standsFor(discounts.length)] = one.id
  }
  return { discounts: discounts.length === 0 ? '' : discounts, metadata }
}

/**
 * Which of them this invoice has. A customer's for one invoice is held for it, in the transaction that sees that no other has
 * it or is about to: subscriptions may end in the same moment, each in a process of its own.
 */
function holdWanted(
  db: Db,
  whole: readonly StandingDiscount[],
  { id: invoiceId }: InvoiceRow,
  subscriptionId: string,
): Promise<StandingDiscount[]> {
  const isShared = ({ scope, terms }: StandingDiscount) =>
    scope === 'customer' && terms.duration.kind === 'once'
  return transaction(db, async (trx) => {
    await lockDiscounts(trx, idsOf(whole.filter(isShared)), invoiceId)
    const given = (await readGiven(trx, [subscriptionId])).get(subscriptionId) ?? []
    const wanted = discountsLeft(whole, given, chargeStep)
    await holdDiscounts(trx, idsOf(wanted.filter(isShared)), invoiceId)
    return wanted
  })
}

const idsOf = (discounts: readonly StandingDiscount[]) => discounts.map(({ id }) => id)

/** Another amount is another coupon. */
function offText({ terms: { off } }: StandingDiscount): string {
  return off.kind === 'percent' ? off.percent : off.minor
}
