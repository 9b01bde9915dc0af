import type { Instant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { all, fetchSubscription, withAllItems } from './fetch.ts'
import type { ObservedSubscriptionItem } from './to-subscription.ts'

/** One entry of Stripe's `items`: with an id it changes or removes an item, without one it adds one. */
export interface ItemChange {
  readonly id?: string
  readonly price?: string
  readonly quantity?: number
  readonly deleted?: true
}

export interface WantedItem {
  readonly providerPrice: string
  /** Null of a metered price, which has none: Stripe refuses to be told one. */
  readonly quantity: number | null
}

/**
 * What has to be said to make the standing items the wanted ones. Items whose price stays are kept;
 * then prices take the place of others in order, because an entry without an id adds an item.
 */
export function itemChanges(
  standing: readonly ObservedSubscriptionItem[],
  wanted: readonly WantedItem[],
): ItemChange[] {
  const kept = wanted.flatMap(({ providerPrice, quantity }): ItemChange[] => {
    const item = standing.find(({ price }) => price === providerPrice)
    return item && quantity !== null && item.quantity !== quantity ? [{ id: item.providerId, quantity }] : []
  })
  const news = wanted.filter(({ providerPrice }) => !standing.some(({ price }) => price === providerPrice))
  const leaving = standing.filter(({ price }) => !wanted.some(({ providerPrice }) => providerPrice === price))
  const replaced = news.map(({ providerPrice: price, quantity }, index): ItemChange => {
    const item = leaving[index]
    return { ...(item && { id: item.providerId }), price, ...(quantity !== null && { quantity }) }
  })
  const removed = leaving
    .slice(news.length)
    .map(({ providerId: id }): ItemChange => ({ id, deleted: true as const }))
  return [...kept, ...replaced, ...removed]
}

/** Everything of a change that Stripe is told, in its preview and in the deed alike. */
export interface SubscriptionTerms {
  readonly providerSubscription: string
  readonly items: readonly ItemChange[]
  /** Prorations are computed as of this moment, however long ago it is by now. */
  readonly prorationDate: Instant
  /** The billing period begins anew. */
  readonly startsPeriod: boolean
  readonly trialEnd: Instant | 'now' | null
  /** All discounts from now on, in order; null leaves them as they are. */
  readonly discounts: readonly DiscountParam[] | null
  /** The customer's own, which a subscription without any has. */
  readonly payerDiscount: string | null
}

export type DiscountParam = { readonly coupon: string } | { readonly discount: string }

interface ChangeToMake extends Omit<SubscriptionTerms, 'payerDiscount'> {
  readonly operation: string
  readonly subscriptionId: string
  /** The customer can be asked by the bank: what is not paid at once waits, and nothing changes until then. */
  readonly customerPresent: boolean
  /** What pays for it from now on; null for what did. Not with a customer who is asked: see {@link payWith}. */
  readonly paymentMethod: string | null
}

/**
 * Changes a subscription and bills what the change costs at once. It is changed and paid, or it is as it
 * was: `error_if_incomplete` refuses the whole; `pending_if_incomplete` holds the change back until the
 * open invoice is paid, and forgets it after 23 hours. The answer holds the invoice: see {@link invoiceApart}.
 * https://docs.stripe.com/billing/subscriptions/pending-updates
 */
export function changeSubscription(deps: CallDeps, change: ChangeToMake): Promise<Stripe.Subscription> {
  const { operation: id, subscriptionId, providerSubscription } = change
  const body = {
    ...details(change),
    ...discounts(change),
    ...(change.paymentMethod !== null && { default_payment_method: change.paymentMethod }),
    ...(change.customerPresent
      ? { payment_behavior: 'pending_if_incomplete' as const }
      : { payment_behavior: 'error_if_incomplete' as const, off_session: true }),
    metadata: { lockstep_change: id },
    expand: ['latest_invoice'],
  } satisfies Stripe.SubscriptionUpdateParams
  return callStripe(
    deps,
    { id, kind: 'subscription.change', subjectId: subscriptionId, body, settledByCaller: true },
    async (stripe, options) =>
      withAllItems(stripe, await stripe.subscriptions.update(providerSubscription, body, options)),
    async (stripe) => {
      const found = await stripe.subscriptions.retrieve(providerSubscription)
      return wasChangedBy(found, id) || isHeldFor(found, id) ? withAllItems(stripe, found) : undefined
    },
  )
}

/**
 * The subscription of such an answer as every other answer and event has it, and the newest invoice of it: null where it has none,
 * or where some of its lines are left out, which would cost a call.
 */
export function invoiceApart({ latest_invoice: latest, ...rest }: Stripe.Subscription): {
  readonly subscription: Stripe.Subscription
  readonly invoice: Stripe.Invoice | null
} {
  const invoice = typeof latest === 'object' ? latest : null
  const subscription = { ...rest, latest_invoice: invoice?.id ?? (latest as string | null) }
  return { subscription, invoice: invoice?.lines.has_more === false ? invoice : null }
}

function wasChangedBy({ metadata }: Stripe.Subscription, operation: string): boolean {
  return metadata.lockstep_change === operation
}

/** Whether the last change that we made of it was made by a workflow. */
export function wasChangedIn(
  { metadata }: Pick<Stripe.Subscription, 'metadata'>,
  workflowId: string,
): boolean {
  return metadata.lockstep_change?.startsWith(`${workflowId}/`) === true
}

/** Whether a change waits for its invoice to be paid. */
export function isHeldFor({ pending_update: held }: Stripe.Subscription, operation: string): boolean {
  return held?.metadata?.lockstep_change === operation
}

/**
 * Has one subscription charged to a method, or to the customer's own again. A change that is held back cannot
 * name what pays for it. https://docs.stripe.com/billing/subscriptions/pending-updates-reference
 */
export async function payWith(
  deps: CallDeps,
  operation: string,
  { id: subscriptionId, providerId }: { readonly id: string; readonly providerId: string },
  paymentMethod: string | null,
): Promise<void> {
  const body = { default_payment_method: paymentMethod ?? '' }
  const intention = { id: operation, kind: 'subscription.payment_method', subjectId: subscriptionId, body }
  await callStripe(deps, { ...intention, repeatable: true }, (stripe, options) =>
    stripe.subscriptions.update(providerId, body, options),
  )
}

/** An item that will be pending by then, or one that will say something else: https://docs.stripe.com/api/invoices/create_preview */
export type PreviewItem = Stripe.InvoiceCreatePreviewParams.InvoiceItem

/**
 * The invoice that a change would make at once; of one that bills nothing now, the next one. `pending`: what is told
 * before the change.
 */
export function previewChange(
  deps: Pick<CallDeps, 'provider'>,
  terms: SubscriptionTerms,
  pending: readonly PreviewItem[],
): Promise<Stripe.Invoice> {
  return preview(deps, {
    subscription: terms.providerSubscription,
    ...(pending.length > 0 && { invoice_items: [...pending] }),
    subscription_details: details(terms),
    ...discounts({ discounts: inherited(terms) }),
  })
}

/** The next renewal as it will be with these items. */
export function previewRenewal(
  deps: Pick<CallDeps, 'provider'>,
  { providerSubscription, items }: Pick<SubscriptionTerms, 'providerSubscription' | 'items'>,
): Promise<Stripe.Invoice> {
  return preview(deps, {
    subscription: providerSubscription,
    subscription_details: { items: [...items], proration_behavior: 'none' },
  })
}

function preview(
  deps: Pick<CallDeps, 'provider'>,
  params: Stripe.InvoiceCreatePreviewParams,
): Promise<Stripe.Invoice> {
  return readStripe(deps, async (stripe) => {
    const invoice = await stripe.invoices.createPreview(params)
    if (!invoice.lines.has_more) return invoice
    const data = await all(stripe.invoices.listLineItems(invoice.id, { limit: 100 }))
    return { ...invoice, lines: { ...invoice.lines, data, has_more: false } }
  })
}

function details({ items, prorationDate, startsPeriod, trialEnd }: Omit<SubscriptionTerms, 'payerDiscount'>) {
  const resets = startsPeriod && trialEnd !== 'now'
  return {
    items: [...items],
    proration_behavior: 'always_invoice' as const,
    proration_date: prorationDate,
    ...(resets && { billing_cycle_anchor: { type: 'now' as const } }),
    ...(trialEnd !== null && { trial_end: trialEnd }),
  }
}

/** An empty list changes nothing, and an empty text takes all off: https://docs.stripe.com/api/subscriptions/update */
function discounts({ discounts: wanted }: Pick<SubscriptionTerms, 'discounts'>) {
  if (wanted === null) return {}
  return { discounts: wanted.length === 0 ? ('' as const) : [...wanted] }
}

/**
 * In a preview, to take all off is to inherit none either, which the subscription will then:
 * https://docs.stripe.com/api/invoices/create_preview
 */
function inherited({ discounts: wanted, payerDiscount }: SubscriptionTerms): SubscriptionTerms['discounts'] {
  return wanted?.length === 0 && payerDiscount !== null ? [{ discount: payerDiscount }] : wanted
}

/** Gives up a change that waits for its payment; one that was paid meanwhile stands. */
export async function forgetHeldChange(
  deps: CallDeps,
  operation: string,
  { providerSubscription, heldFor }: { readonly providerSubscription: string; readonly heldFor: string },
): Promise<void> {
  const subscription = await fetchSubscription(deps, providerSubscription)
  const { latest_invoice: latest } = subscription
  if (!isHeldFor(subscription, heldFor) || latest === null) return
  const id = typeof latest === 'string' ? latest : latest.id
  await callStripe(
    deps,
    { id: operation, kind: 'invoice.void', subjectId: providerSubscription, body: { id }, repeatable: true },
    (stripe, options) => stripe.invoices.voidInvoice(id, {}, options),
  )
}
