import type Stripe from 'stripe'
import { DAY, HOUR } from './calendar.ts'
import { TRIAL_DAYS } from './plans.ts'
import type { Stage } from './stage.ts'

// What a customer has and has had, by the provider's books alone: list prices, times and money.

/** From the start of a period until its invoice was tried for the last time: an hour as a draft, three retries. */
const LONGEST_DUNNING = HOUR + 15 * DAY

/** Cents a second of all that is served now, and whether anything is tried for nothing. */
export interface Served {
  readonly worth: number
  readonly isTrial: boolean
  /** When something happens by itself next: until then it stays so. */
  readonly until: number
}

export async function servedNow(
  { world: { stripe } }: Stage,
  customer: string,
  now: number,
): Promise<Served> {
  const [subscriptions, invoices, coupons] = await Promise.all([
    all(stripe.subscriptions.list({ customer, status: 'all', limit: 100 })),
    all(stripe.invoices.list({ customer, limit: 100, expand: ['data.discounts'] })),
    all(stripe.coupons.list({ limit: 100 })),
  ])
  const percents = new Map(coupons.map(({ id, percent_off: percent }) => [id, percent ?? 0]))
  const live = subscriptions.filter(({ status }) => status !== 'canceled')
  const ends = live.flatMap(({ items, cancel_at: cancelAt, trial_end: trialEnd, pending_update: held }) => [
    ...items.data.map((item) => item.current_period_end),
    ...[cancelAt, trialEnd, held?.expires_at].map((at) => at ?? 0),
  ])
  const tries = invoices.flatMap(({ next_payment_attempt: at, automatically_finalizes_at: final }) => [
    at,
    final,
  ])
  const coming = [...ends, ...tries].filter((at): at is number => at !== null && at > now)
  return {
    worth: live.reduce((sum, one) => sum + worthOf(one, (item) => shareOf(item, invoices, percents, now)), 0),
    isTrial: live.some(({ status }) => status === 'trialing'),
    until: Math.min(now + 40 * DAY, ...coming),
  }
}

/** At list price, less the coupons with which the time was billed: those are gifts. A trial is one, too. */
function worthOf(
  { status, items }: Stripe.Subscription,
  share: (item: Stripe.SubscriptionItem) => number,
): number {
  if (status !== 'active' && status !== 'past_due') return 0
  return items.data.reduce((sum, item) => {
    const { price, quantity, current_period_start: start, current_period_end: end } = item
    return sum + (share(item) * (price.unit_amount ?? 0) * (quantity ?? 1)) / (end - start)
  }, 0)
}

/** What the coupons left of a price on the invoice that billed an item for this moment last; all where none did. */
function shareOf(
  { id }: Stripe.SubscriptionItem,
  invoices: readonly Stripe.Invoice[],
  percents: ReadonlyMap<string, number>,
  now: number,
): number {
  // Newest first.
  const billing = invoices.find((invoice) => !isOfHeldChange(invoice) && bills(invoice, id, now))
  const discounts = (billing?.discounts ?? []) as Stripe.Discount[]
  return discounts.reduce((share, { id: discount, source }) => {
    const percent = percents.get(source.coupon as string)
    if (percent === undefined) throw new Error(`There is no coupon of ${discount}.`)
    return share * (1 - percent / 100)
  }, 1)
}

function bills({ lines }: Stripe.Invoice, item: string, now: number): boolean {
  if (lines.has_more) throw new Error('An invoice has more lines than are shown with it.')
  return lines.data.some(
    ({ amount, period, parent }) =>
      amount >= 0 &&
      parent?.subscription_item_details?.subscription_item === item &&
      period.start <= now &&
      now < period.end,
  )
}

export interface Had {
  readonly customer: string
  readonly now: number
  /** Cents' worth that was served. */
  readonly served: number
  /** Seconds that were tried for nothing. */
  readonly tried: number
}

/** What was gained, in a sentence; undefined where that is nothing. */
export async function gainOf({ world: { stripe } }: Stage, had: Had): Promise<string | undefined> {
  const { customer: id, now, served, tried } = had
  if (tried > TRIAL_DAYS * DAY) return `tried for ${tried / DAY} days`
  const [charges, notes, customer, subscriptions, invoices] = await Promise.all([
    all(stripe.charges.list({ customer: id, limit: 100 })),
    all(stripe.creditNotes.list({ customer: id, limit: 100 })),
    stripe.customers.retrieve(id),
    all(stripe.subscriptions.list({ customer: id, status: 'all', limit: 100 })),
    all(stripe.invoices.list({ customer: id, limit: 100 })),
  ])
  const endOf = new Map(subscriptions.map((one) => [one.id, one.ended_at]))
  const kept = charges.reduce((sum, charge) => sum + charge.amount_captured - charge.amount_refunded, 0)
  // What was refunded apart from any credit note the seller gave away, and served all the same.
  const noted = notes.flatMap(({ refunds }) => refunds).reduce((sum, one) => sum + one.amount_refunded, 0)
  const given = charges.reduce((sum, charge) => sum + charge.amount_refunded, 0) - noted
  const credit = customer.deleted ? 0 : 0 - customer.balance
  let [lines, owed] = [0, 0]
  for (const invoice of invoices) {
    const of = await all(stripe.invoices.listLineItems(invoice.id, { limit: 100 }))
    lines += of.length
    if (invoice.status === 'paid' || isOfHeldChange(invoice)) continue
    const subscription = invoice.parent?.subscription_details?.subscription
    const over = (typeof subscription === 'string' ? endOf.get(subscription) : undefined) ?? now
    // Nobody paid for it. An open one was tried meanwhile, as documented, and no longer; of the others the seller
    // said that they are not collected.
    const longest = invoice.status === 'open' ? LONGEST_DUNNING : Number.POSITIVE_INFINITY
    const had = of.reduce((sum, line) => sum + netOf(line) * partOf(line, Math.min(now, over), longest), 0)
    owed += Math.max(0, had - drawnBy(invoice))
  }
  // A line is rounded to the nearest cent: https://docs.stripe.com/billing/subscriptions/prorations
  const gain = served + credit - kept - owed - given
  if (gain <= lines / 2 + 0.001) return undefined
  return `gained ${gain} by ${lines} lines: served ${served}, credit ${credit}, kept ${kept}, owed ${owed}, given ${given}`
}

/**
 * What the balance has paid of an invoice that nobody paid, which is paid. Of a voided one it has it back:
 * https://docs.stripe.com/changelog/2019-12-03/customer-balances-returned-voided-invoices
 */
function drawnBy({ status, starting_balance: before, ending_balance: after }: Stripe.Invoice): number {
  return status === 'void' ? 0 : (after ?? before) - before
}

/** A change that the bank did not let happen: nothing was had of it. */
function isOfHeldChange({
  status,
  billing_reason: reason,
}: Pick<Stripe.Invoice, 'status' | 'billing_reason'>): boolean {
  return status === 'void' && reason === 'subscription_update'
}

function netOf({ amount, discount_amounts: off }: Stripe.InvoiceLineItem): number {
  return (off ?? []).reduce((rest, discount) => rest - discount.amount, amount)
}

/** Of a line's time, what passed until then, and no more than the longest. */
function partOf({ period: { start, end } }: Stripe.InvoiceLineItem, until: number, longest: number): number {
  const seconds = Math.max(0, Math.min(until, end) - start)
  return Math.min(seconds, longest) / (end - start)
}

function all<T>(list: { autoPagingToArray(options: { limit: number }): Promise<T[]> }): Promise<T[]> {
  return list.autoPagingToArray({ limit: 10_000 })
}
