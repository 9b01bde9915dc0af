import { isTold } from '../events/wants.ts'
import type { InvoiceRow, LineRow } from '../rows.ts'
import { chargeStep, minimumCharge } from '../rules/currency.ts'
import type { World } from '../world.ts'
import { automaticStatus, automaticTax, refuseUntaxable } from './automatic-tax.ts'
import { changeBalance } from './balance.ts'
import { billedCustomer, printed, renderingOf } from './billed-customer.ts'
import { invoiceReductions, useOnce } from './discounts.ts'
import { armDue, callOffDue } from './due-date.ts'
import { insertPayment, settlePayments } from './invoice-payments.ts'
import { nextNumber } from './numbering.ts'
import { cancelIntent, createIntent } from './payments.ts'
import { replaceOriginal } from './revise.ts'
import { taxLines } from './taxes.ts'
import { applyBalance, type Chargeable, totalOf } from './totals.ts'

export interface DraftOf {
  readonly customer: string
  readonly subscription: string | null
  readonly currency: string
  readonly reason: InvoiceRow['billing_reason']
  readonly lines: readonly LineRow[]
  readonly discounts: readonly string[]
  readonly period: { readonly start: number; readonly end: number }
  readonly at: number
  readonly collectionMethod: 'charge_automatically' | 'send_invoice'
  readonly daysUntilDue: number | null
  readonly autoAdvance: boolean
  readonly metadata?: Record<string, string>
  readonly description?: string | null
  readonly prorationDate?: number
  readonly taxRates?: InvoiceRow['default_tax_rates']
  /** A subscription's own setting unless said. */
  readonly automaticTax?: boolean
}

/** A draft with its lines and sums. Whoever makes it decides when it is finalized. */
export function createDraft(world: World, of: DraftOf): InvoiceRow {
  const customer = world.customers.must(of.customer)
  const subscription = world.subscriptions.get(of.subscription)
  // https://docs.stripe.com/api/subscriptions/object#subscription_object-invoice_settings
  const settings = subscription?.invoice_settings
  const clock = customer.own.clock
  const id = world.preview ? `upcoming_${world.ids.next('in')}` : world.ids.next('in')
  const draft = world.invoices.insert({
    id,
    object: 'invoice',
    account_country: 'US',
    account_name: 'Simulator',
    account_tax_ids: (settings?.account_tax_ids ?? null) as string[] | null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: of.autoAdvance,
    automatic_tax: automaticTax(of.automaticTax ?? subscription?.automatic_tax.enabled ?? false),
    automatically_finalizes_at: null,
    billing_reason: of.reason,
    collection_method: of.collectionMethod,
    created: of.at,
    currency: of.currency,
    custom_fields: settings?.custom_fields ?? customer.invoice_settings.custom_fields,
    customer: customer.id,
    customer_account: null,
    ...billedCustomer(world, customer),
    default_payment_method: null,
    default_source: null,
    default_tax_rates: of.taxRates ?? [],
    description: of.description ?? settings?.description ?? null,
    discounts: [...of.discounts],
    due_date: of.daysUntilDue === null ? null : of.at + of.daysUntilDue * 86_400,
    effective_at: null,
    ending_balance: null,
    footer: settings?.footer ?? customer.invoice_settings.footer,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    livemode: false,
    metadata: of.metadata ?? {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent:
      subscription === undefined
        ? null
        : {
            quote_details: null,
            subscription_details: {
              metadata: subscription.metadata,
              subscription: subscription.id,
              ...(of.prorationDate === undefined ? {} : { subscription_proration_date: of.prorationDate }),
            },
            type: 'subscription_details',
          },
    payment_settings: {
      default_mandate: null,
      payment_method_options: null,
      payment_method_types: subscription?.payment_settings?.payment_method_types ?? null,
    },
    period_end: of.period.end,
    period_start: of.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: renderingOf(customer, of.reason),
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: statementOf(world, subscription?.id),
    status: 'draft',
    status_details: { uncollectible: { reason: null } },
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
    own: {
      clock,
      lines: of.lines.map((line) => ({ ...line, invoice: id })),
      paymentIntent: null,
      heldUntil: null,
      createdEvent: null,
      subscription: of.subscription,
      preview: world.preview,
      retries: 0,
    },
  })
  return retotal(world, draft.id)
}

/** "The first subscription item's product's `statement_descriptor`": https://docs.stripe.com/api/invoices/create */
function statementOf(world: World, subscription: string | undefined): string | null {
  if (subscription === undefined) return null
  const [first] = world.subscriptionItems.by('subscription', subscription)
  const price = world.prices.get(first?.own.price)
  return world.products.get(price?.product)?.statement_descriptor ?? null
}

/**
 * Announces a new draft. The event's id is kept: finalization waits until its endpoints acknowledged it. Where nobody
 * is told, it counts as delivered from the beginning, as recorded.
 */
export function announce(world: World, id: string): InvoiceRow {
  const draft = world.invoices.must(id)
  const isHeard = world.webhookEndpoints.all().some((endpoint) => isTold(endpoint, 'invoice.created'))
  const invoice = isHeard ? draft : world.invoices.patch(id, { webhooks_delivered_at: draft.created })
  const event = world.emit('invoice.created', invoice)
  return world.invoices.patch(id, { own: { ...invoice.own, createdEvent: event?.id ?? null } })
}

/** The hour in which a draft can still be changed, after which Stripe finalizes it by itself. */
export function scheduleFinalization(world: World, id: string, at: number, chargedAt = at): InvoiceRow {
  const invoice = world.invoices.must(id)
  world.alarm('invoice.finalize', id, invoice.own.clock, at)
  return world.invoices.patch(id, {
    automatically_finalizes_at: at,
    next_payment_attempt: invoice.collection_method === 'charge_automatically' ? chargedAt : null,
  })
}

/**
 * The same for a draft that somebody made: an hour from when it was made, also where advancing is turned off and on
 * again meanwhile. The moment has a fraction of a second, which is cut off in `created` and in
 * `next_payment_attempt` and rounded up here, so that finalizing is told a second later than charging; the time of a
 * clock has none. As recorded of wall time: github.com/Kiln-AI/stripe_world, cassette 13, steps 20 to 22.
 */
export function scheduleMade(world: World, id: string): InvoiceRow {
  const { created, own } = world.invoices.must(id)
  const { draftSeconds } = world.settings
  const now = world.now(own.clock)
  const from = created + draftSeconds > now ? created : now
  const fraction = own.clock === null ? 1 : 0
  return scheduleFinalization(world, id, from + draftSeconds + fraction, from + draftSeconds)
}

/** Sums a draft again after its lines, discounts or the customer's balance changed. */
export function retotal(world: World, id: string): InvoiceRow {
  const invoice = withCustomer(world, world.invoices.must(id))
  const sums = totalOf(
    invoice.own.lines,
    invoiceReductions(world, invoice.own.lines, invoice.discounts as string[], invoice.currency),
  )
  const taxed = taxLines(world, invoice, sums.lines)
  const total = sums.total + taxed.exclusive
  const balance = world.customers.must(invoice.customer).balance
  const { amountDue } = applyBalance(total, balance, chargeableOf(invoice))
  return world.invoices.replace({
    ...invoice,
    automatic_tax: automaticStatus(world, invoice),
    subtotal: sums.subtotal,
    subtotal_excluding_tax: sums.subtotal - taxed.inSubtotal,
    total,
    total_excluding_tax: total - taxed.exclusive - taxed.inclusive,
    total_taxes: taxed.taxes,
    total_discount_amounts: [...sums.discounts],
    total_pretax_credit_amounts: sums.discounts.map(({ amount, discount }) => ({
      amount,
      discount,
      type: 'discount',
    })),
    starting_balance: balance,
    amount_due: amountDue,
    amount_remaining: amountDue,
    own: { ...invoice.own, lines: taxed.lines },
  })
}

/** Until it is finalized an invoice says of its customer what the customer says. */
function withCustomer(world: World, invoice: InvoiceRow): InvoiceRow {
  const customer = world.customers.must(invoice.customer)
  return {
    ...invoice,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: customer.shipping ?? null,
    customer_tax_exempt: customer.tax_exempt ?? 'none',
  }
}

/**
 * Freezes a draft: number, balance, addresses, intent. Nothing is collected yet; a due of zero is paid, any
 * other is charged at `collectAt` where that is given.
 */
export function finalize(world: World, id: string, collectAt: number | null = null): InvoiceRow {
  refuseUntaxable(world, id)
  replaceOriginal(world, world.invoices.must(id))
  const draft = retotal(world, id)
  const customer = world.customers.must(draft.customer)
  const at = world.now(draft.own.clock)
  const { amountDue, endingBalance } = applyBalance(draft.total, customer.balance, chargeableOf(draft))
  const number = draft.number ?? nextNumber(world, customer)
  world.customers.patch(customer.id, { currency: customer.currency ?? draft.currency })
  // The first invoice settles the customer's currency.
  if (customer.currency == null) world.emit('customer.updated', world.customers.must(customer.id))
  world.alarm('invoice.finalize', id, draft.own.clock, null)
  const address = `${world.baseUrl}/_simulator/invoices/${id}`
  world.invoices.patch(id, {
    ...billedCustomer(world, customer),
    status: 'open',
    last_finalization_error: null,
    number,
    effective_at: draft.effective_at ?? at,
    rendering: printed(draft.rendering),
    starting_balance: customer.balance,
    ending_balance: endingBalance,
    amount_due: amountDue,
    amount_remaining: amountDue,
    hosted_invoice_url: address,
    invoice_pdf: `${address}/pdf`,
    automatically_finalizes_at: null,
    next_payment_attempt: amountDue > 0 ? collectAt : null,
    status_transitions: { ...draft.status_transitions, finalized_at: at },
  })
  if (endingBalance !== customer.balance) {
    const tooSmall = amountDue === 0 && draft.total + customer.balance > 0
    changeBalance(world, customer.id, endingBalance - customer.balance, {
      type: tooSmall ? 'invoice_too_small' : 'applied_to_invoice',
      invoice: id,
    })
  }
  if (amountDue > 0) attachIntent(world, id, amountDue)
  const open = world.invoices.must(id)
  useOnce(world, open)
  world.emit('invoice.finalized', open)
  if (amountDue === 0) return markPaid(world, id, { outOfBand: false })
  if (open.collection_method === 'send_invoice' && open.due_date !== null) armDue(world, open)
  return world.invoices.must(id)
}

function attachIntent(world: World, id: string, amount: number): void {
  const invoice = world.invoices.must(id)
  const intent = createIntent(world, {
    amount,
    currency: invoice.currency,
    customer: invoice.customer,
    clock: invoice.own.clock,
    invoice: id,
    description: describe(invoice),
    metadata: {},
    setupFutureUsage: invoice.own.subscription === null ? null : 'off_session',
  })
  insertPayment(world, invoice, intent, { amount, isDefault: true })
  world.invoices.patch(id, { own: { ...invoice.own, paymentIntent: intent.id } })
}

function describe({ billing_reason: reason, description }: InvoiceRow): string | null {
  if (reason === 'subscription_create') return 'Subscription creation'
  if (reason === 'subscription_cycle' || reason === 'subscription_update') return 'Subscription update'
  return description
}

/** The end of a good invoice, whether money moved or not. */
export function markPaid(world: World, id: string, { outOfBand }: { outOfBand: boolean }): InvoiceRow {
  const invoice = world.invoices.must(id)
  const at = world.now(invoice.own.clock)
  world.alarm('invoice.retry', id, invoice.own.clock, null)
  callOffDue(world, invoice)
  const paid = world.invoices.patch(id, {
    status: 'paid',
    attempted: !outOfBand || invoice.attempted,
    amount_paid: invoice.amount_due,
    ...(outOfBand ? { amount_paid_off_stripe: invoice.amount_remaining } : {}),
    amount_remaining: 0,
    next_payment_attempt: null,
    auto_advance: false,
    status_transitions: { ...invoice.status_transitions, paid_at: at },
  })
  settlePayments(world, id, outOfBand ? 'canceled' : 'paid', at)
  if (outOfBand && paid.own.paymentIntent !== null) cancelIntent(world, paid.own.paymentIntent, 'automatic')
  if (paid.amount_due > 0) world.emit('invoice.updated', paid)
  world.emit('invoice.paid', paid)
  world.emit('invoice.payment_succeeded', paid)
  return paid
}

function chargeableOf({ collection_method: method, currency }: InvoiceRow): Chargeable {
  return {
    minimum: method === 'charge_automatically' ? minimumCharge(currency) : 1,
    step: chargeStep(currency),
  }
}
