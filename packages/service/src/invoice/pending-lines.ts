import { units } from '@lockstep/core/quantity'
import { isLive } from '@lockstep/core/subscription'
import { fromStripeUnits } from '../provider/stripe/amount.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import type { BilledSubscription } from '../store/open-invoices.ts'
import type { PendingItem } from '../store/pending-items.ts'
import type { ShownLine } from './read.ts'

/** What a pending item may go onto. */
interface Invoices {
  /** Open ones of its customer, oldest first. */
  readonly invoices: readonly InvoiceRow[]
  readonly subscriptions: readonly Pick<BilledSubscription, 'id' | 'status' | 'currentPeriodEnd'>[]
}

/**
 * Whether an item of the provider's goes onto an invoice. On a draft it stands already; what waits is taken by the next
 * invoice of its subscription, of those that are over by the time at which it was made the first, and what belongs to no
 * subscription by the one whose period ends first. https://docs.stripe.com/api/invoiceitems/create
 */
export function goesOn(
  invoice: InvoiceRow,
  { subscriptionId, providerInvoiceId, content }: PendingItem,
  { invoices, subscriptions }: Invoices,
): boolean {
  if (content.currency !== invoice.currency) return false
  if (providerInvoiceId !== null) return invoice.providerInvoiceId === providerInvoiceId
  const taker = subscriptionId ?? nextToBill(subscriptions)
  if (taker === undefined || invoice.subscriptionId !== taker) return false
  const waiting = invoices.filter(
    (one) =>
      one.subscriptionId === taker &&
      (one.status === 'current' || (one.status === 'closing' && one.providerInvoiceId === null)),
  )
  const takes = waiting.find(({ status, periodEnd }) => status === 'current' || content.madeAt <= periodEnd)
  return takes?.id === invoice.id
}

function nextToBill(subscriptions: Invoices['subscriptions']): string | undefined {
  return subscriptions
    .filter(({ status }) => isLive(status))
    .reduce<Invoices['subscriptions'][number] | undefined>(
      (first, one) => (first && first.currentPeriodEnd <= one.currentPeriodEnd ? first : one),
      undefined,
    )?.id
}

/** As a line of its own, which says whose it is. */
export function pendingLine({ id, content }: PendingItem): ShownLine {
  const { amount, currency, description, periodStart, periodEnd, quantity, isProration } = content
  return {
    id,
    key: null,
    description,
    period: { start: periodStart, end: periodEnd },
    quantity: quantity === null ? null : units(BigInt(quantity)),
    unitLabel: null,
    amount: fromStripeUnits(BigInt(amount), currency),
    late: false,
    derivation: null,
    reason: isProration
      ? 'The payment provider prorated a change inside of a period.'
      : 'It was added at the payment provider.',
    asOf: null,
    billed: [],
    providerId: id,
  }
}
