import type { Money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { operationState, settleSeen } from '../../store/operations.ts'
import { toStripeAmount } from './amount.ts'
import { type CallDeps, callStripe, readStripe } from './call.ts'
import { type FirstPayment, paymentOfInvoice } from './first-payment.ts'
import { isOf, ownMetadata } from './metadata.ts'
import { isMissing } from './problems.ts'

export interface InvoiceToMake {
  readonly operation: string
  /** What of ours it is about. */
  readonly subjectId: string
  /** Told when it is paid. */
  readonly workflowId: string
  readonly customerId: string
  readonly providerCustomer: string
  readonly currency: string
  readonly items: readonly {
    readonly key: string
    readonly name: string
    readonly providerProduct: string
    readonly quantity: number
    readonly amount: Money
  }[]
  readonly coupons: readonly string[]
  /** Stripe computes the tax. */
  readonly automaticTax: boolean
  readonly metadata: Readonly<Record<string, string>>
}

/** Makes a draft that Stripe does nothing with by itself, and puts its items onto it. */
export async function makeInvoice(deps: CallDeps, wanted: InvoiceToMake): Promise<Stripe.Invoice> {
  const { operation: id, subjectId, providerCustomer: customer, currency, coupons } = wanted
  const body = {
    customer,
    currency,
    auto_advance: false,
    collection_method: 'charge_automatically',
    // It names its items: what waits for a renewal stays where it is.
    pending_invoice_items_behavior: 'exclude',
    ...(wanted.automaticTax && { automatic_tax: { enabled: true } }),
    ...(coupons.length > 0 && { discounts: coupons.map((coupon) => ({ coupon })) }),
    metadata: {
      ...wanted.metadata,
      ...ownMetadata(deps.provider, id, {
        lockstep_customer: wanted.customerId,
        lockstep_workflow: wanted.workflowId,
      }),
    },
  } satisfies Stripe.InvoiceCreateParams
  const invoice = await callStripe(
    deps,
    { id, kind: 'invoice.create', subjectId, body, settledByCaller: true },
    (stripe, options) => stripe.invoices.create(body, options),
    async (stripe) => {
      for await (const found of stripe.invoices.list({ customer, limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
  for (const item of wanted.items) await placeItem(deps, wanted, invoice.id, item)
  return invoice
}

async function placeItem(
  deps: CallDeps,
  { operation, subjectId, providerCustomer: customer, currency }: InvoiceToMake,
  invoice: string,
  { key, name, providerProduct, quantity, amount }: InvoiceToMake['items'][number],
): Promise<void> {
  const id = `${operation}/${key}`
  const body = {
    customer,
    invoice,
    description: quantity === 1 ? name : `${quantity} × ${name}`,
    price_data: { currency, product: providerProduct, unit_amount: toStripeAmount(amount) },
    metadata: ownMetadata(deps.provider, id),
  } satisfies Stripe.InvoiceItemCreateParams
  await callStripe(
    deps,
    { id, kind: 'invoice_item.create', subjectId, body },
    (stripe, options) => stripe.invoiceItems.create(body, options),
    async (stripe) => {
      for await (const found of stripe.invoiceItems.list({ customer, invoice, limit: 100 })) {
        if (isOf(deps.provider, id, found)) return found
      }
      return undefined
    },
  )
}

/**
 * Finalizes an invoice and charges it once; where the bank asks, the customer has a page to pay it on.
 * Once the bank has asked, it is not charged again from here: it is paid on that page, or it is not.
 */
export async function payInvoice(
  deps: CallDeps,
  operation: string,
  {
    id,
    subjectId,
    paymentMethod,
  }: { readonly id: string; readonly subjectId: string; readonly paymentMethod: string | null },
): Promise<FirstPayment> {
  const finalize = { id: `${operation}/finalize`, kind: 'invoice.finalize', subjectId, body: { id } }
  const finalized = await callStripe(
    deps,
    finalize,
    (stripe, options) => stripe.invoices.finalizeInvoice(id, { auto_advance: false }, options),
    (stripe) => found(stripe, id, ({ status }) => status !== 'draft'),
  )
  // Nothing was due; or it was paid by a run that died before it could write that down.
  if (finalized.status === 'paid') {
    await settleSeen(deps.db, operation, id, deps.clock.now())
    return { kind: 'made' }
  }
  if ((await operationState(deps.db, operation)) === 'refused') return paymentOfInvoice(deps, id)
  try {
    const body = { off_session: false, ...(paymentMethod !== null && { payment_method: paymentMethod }) }
    await callStripe(
      deps,
      { id: operation, kind: 'invoice.pay', subjectId, body },
      (stripe, options) => stripe.invoices.pay(id, body, options),
      // Not paid, whatever was tried: it may be tried again.
      (stripe) => found(stripe, id, ({ status }) => status === 'paid'),
    )
    return { kind: 'made' }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'payment_action_required') throw error
    return paymentOfInvoice(deps, id)
  }
}

async function found(
  stripe: Stripe,
  id: string,
  isDone: (invoice: Stripe.Invoice) => boolean,
): Promise<Stripe.Invoice | undefined> {
  const invoice = await stripe.invoices.retrieve(id)
  return isDone(invoice) ? invoice : undefined
}

/** Where a draft was deleted, there is none any more. */
async function statusOf(deps: Pick<CallDeps, 'provider'>, id: string) {
  try {
    return (await readStripe(deps, (stripe) => stripe.invoices.retrieve(id))).status
  } catch (error) {
    if (error instanceof Error && isMissing(error.cause)) return 'deleted'
    throw error
  }
}

/**
 * Takes an invoice back that nobody has paid. One that was paid is left to a person. What a run that died
 * has done of it is seen, and its call is settled.
 */
export async function withdrawInvoice(
  deps: CallDeps,
  operation: string,
  { id, subjectId }: { readonly id: string; readonly subjectId: string },
): Promise<void> {
  const status = await statusOf(deps, id)
  if (status === 'void' || status === 'deleted') return settleSeen(deps.db, operation, id, deps.clock.now())
  if (status === 'paid')
    throw new Problem(
      'provider_refused',
      `The invoice of ${subjectId} was paid and is not taken back by itself.`,
    )
  const intention = { id: operation, kind: 'invoice.void', subjectId, body: { id }, repeatable: true }
  // A draft can be deleted, a finalized one is voided: it keeps its number.
  if (status === 'draft') {
    await callStripe(deps, { ...intention, kind: 'invoice.delete' }, (stripe, options) =>
      stripe.invoices.del(id, {}, options),
    )
    return
  }
  await callStripe(deps, intention, (stripe, options) => stripe.invoices.voidInvoice(id, {}, options))
}
