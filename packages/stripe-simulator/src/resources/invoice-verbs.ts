import { attachPayment } from '../billing/attach-payment.ts'
import { failFinalization } from '../billing/automatic-tax.ts'
import { markUncollectible, voidInvoice } from '../billing/end.ts'
import { attachedPayments } from '../billing/invoice-payments.ts'
import { finalize, markPaid } from '../billing/invoices.ts'
import { refuseWithPayments } from '../billing/revise.ts'
import { afterPaid, collectAndSettle, freeSubscription } from '../billing/settle.ts'
import { invalid, type StripeError } from '../errors.ts'
import { nothing, post } from '../http/route.ts'
import { bool, gaps, required, shape, text } from '../http/schema.ts'
import type { InvoiceRow } from '../rows.ts'
import type { World } from '../world.ts'
import { find, findAs } from './lookup.ts'
import { methodOf } from './make-method.ts'
import { sourceOf } from './sources.ts'

const URL = '/v1/invoices'

/** What stands in the way of finalizing stays written on the draft. */
function finalizeDraft(world: World, id: string, collectAt: number | null = null): InvoiceRow {
  const error = failFinalization(world, id)
  if (error !== null) throw error
  return finalize(world, id, collectAt)
}

function notOpen(): StripeError {
  return invalid("You can only pass in open invoices. This invoice isn't open.")
}

/** What can be done to an invoice, as far as its state allows. https://docs.stripe.com/invoicing/overview */
export const invoiceVerbRoutes = [
  post(`${URL}/:id/finalize`, shape({ auto_advance: bool }), ({ world, params, path }) => {
    const invoice = find(world.invoices, 'invoice', path())
    if (invoice.status !== 'draft') {
      throw invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    }
    const advance = params.auto_advance ?? invoice.auto_advance ?? false
    world.invoices.patch(invoice.id, { auto_advance: advance })
    // Collection follows about an hour after, as with any automatic invoice.
    const isCollected = advance && invoice.collection_method === 'charge_automatically'
    const at = world.now(invoice.own.clock) + world.settings.draftSeconds
    const open = finalizeDraft(world, invoice.id, isCollected ? at : null)
    if (open.next_payment_attempt !== null) world.alarm('invoice.retry', open.id, open.own.clock, at)
    return world.render(open)
  }),
  post(
    `${URL}/:id/pay`,
    shape({
      payment_method: text(),
      off_session: bool,
      paid_out_of_band: bool,
      // Only sources that hold money of their own can lack a part of it; a card pays all or nothing.
      forgive: bool,
      source: text(),
      ...gaps('mandate'),
    }),
    ({ world, params, path }) => {
      const found = find(world.invoices, 'invoice', path())
      const invoice = found.status === 'draft' ? finalizeDraft(world, found.id) : found
      if (found.status !== 'draft' && invoice.status === 'paid') {
        throw invalid('Invoice is already paid')
      }
      if (invoice.status === 'void') throw invalid('You cannot pay a voided invoice.')
      if (invoice.status === 'paid') return world.render(invoice)
      if (params.paid_out_of_band === true) {
        const paid = markPaid(world, invoice.id, { outOfBand: true })
        afterPaid(world, paid)
        return world.render(world.invoices.must(invoice.id))
      }
      const { payment_method: named, source } = params
      if (named !== undefined && source !== undefined) {
        throw invalid('You may only specify one of these parameters: payment_method, source.', 'source')
      }
      const method =
        source !== undefined
          ? sourceOf(world, invoice.customer as string, source, 'source')
          : named === undefined
            ? undefined
            : methodOf(world, named, invoice.customer)
      const outcome = collectAndSettle(world, invoice.id, {
        offSession: params.off_session ?? true,
        automatic: false,
        ...(method === undefined ? {} : { method }),
      })
      if ('error' in outcome) throw outcome.error
      return world.render(world.invoices.must(invoice.id))
    },
  ),
  post(`${URL}/:id/void`, nothing, ({ world, path }) => {
    const invoice = find(world.invoices, 'invoice', path())
    if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
      throw invoice.status === 'paid' ? invalid('Invoices with `paid` payments cannot be voided.') : notOpen()
    }
    refuseWithPayments(world, invoice, 'void')
    if (world.paymentIntents.get(invoice.own.paymentIntent)?.status === 'processing') {
      throw invalid('You cannot void an invoice while its payment is processing.')
    }
    const gone = voidInvoice(world, invoice.id, 'void_invoice')
    const subscription = world.subscriptions.get(gone.own.subscription)
    if (subscription !== undefined) freeSubscription(world, subscription, gone)
    return world.render(world.invoices.must(invoice.id))
  }),
  post(`${URL}/:id/mark_uncollectible`, nothing, ({ world, path }) => {
    const invoice = find(world.invoices, 'invoice', path())
    if (invoice.status === 'uncollectible') {
      throw invalid('This invoice has already been marked uncollectible.')
    }
    if (invoice.status !== 'open') throw notOpen()
    if (attachedPayments(world, invoice.id).some((payment) => payment.status === 'open')) {
      throw invalid('You cannot mark an invoice that has open payments as uncollectible.')
    }
    const lost = markUncollectible(world, invoice.id, 'user_forgiven')
    afterPaid(world, lost)
    return world.render(lost)
  }),
  post(
    `${URL}/:id/attach_payment`,
    shape({ payment_intent: required(text()), ...gaps('payment_record') }),
    ({ world, params, path }) => {
      const invoice = find(world.invoices, 'invoice', path())
      const intent = find(world.paymentIntents, 'payment_intent', params.payment_intent, 'payment_intent')
      attachPayment(world, invoice, intent)
      return world.render(world.invoices.must(invoice.id))
    },
  ),
  post(`${URL}/:id/send`, nothing, ({ world, path }) => {
    const found = findAs('invoice', world.invoices, 'invoice', path())
    if (found.collection_method !== 'send_invoice') {
      throw invalid('You can only manually send an invoice if its collection method is `send_invoice`.')
    }
    if (found.status !== 'draft' && found.status !== 'open') {
      throw invalid(
        'This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with details, so we can help.',
      )
    }
    const invoice = found.status === 'draft' ? finalizeDraft(world, found.id) : found
    world.emit('invoice.sent', invoice)
    return world.render(world.invoices.must(invoice.id))
  }),
]
