import { createDraft } from '../billing/invoices.ts'
import type { CheckoutRow, InvoiceRow, Json, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { PricedParams } from './checkout-fields.ts'
import { insertCustomer } from './customers.ts'
import { setFields } from './invoice-fields.ts'
import { createInvoiceItem } from './make-invoice-item.ts'
import { create } from './start-subscription.ts'

/** Who buys, as far as the page knows. */
interface Buyer {
  readonly customer: string | undefined
  readonly address?: Json | undefined
}

interface Amounts {
  readonly currency: string
  readonly subtotal: number
  readonly total: number
  readonly discount: number
  readonly tax: number
  readonly taxStatus: InvoiceRow['automatic_tax']['status']
  readonly items: readonly Json[]
}

/** What the page asks for: the invoice of it is made and taken back, so that it cannot differ. */
export function amountsOf(world: World, params: PricedParams, buyer: Buyer): Amounts {
  const invoice = world.rehearse(() => {
    const who = buyer.customer ?? insertCustomer(world, {}, undefined).id
    if (buyer.address !== undefined) world.customers.patch(who, { address: buyer.address as never })
    return params.mode === 'payment'
      ? draftOfLines(world, params, who)
      : world.invoices.must(subscribe(world, params, who, undefined).latest_invoice)
  })
  return {
    currency: invoice.currency,
    subtotal: invoice.subtotal,
    total: invoice.total,
    discount: sum(invoice.total_discount_amounts),
    tax: sum(invoice.total_taxes),
    taxStatus: invoice.automatic_tax.status,
    items: (params.line_items ?? []).map((line) => itemOf(world, line, invoice)),
  }
}

function itemOf(
  world: World,
  line: NonNullable<PricedParams['line_items']>[number],
  invoice: InvoiceRow,
): Json {
  const price = world.prices.must(line.price)
  const own = invoice.own.lines.filter((row) => row.pricing?.price_details?.price === price.id)
  const subtotal = sum(own)
  const discount = own.reduce((total, row) => total + sum(row.discount_amounts), 0)
  const taxes = own.flatMap((row) => row.taxes ?? [])
  const added = sum(taxes.filter((tax) => tax.tax_behavior === 'exclusive'))
  return {
    id: world.ids.next('li'),
    object: 'item',
    amount_discount: discount,
    amount_subtotal: subtotal,
    amount_tax: sum(taxes),
    amount_total: subtotal - discount + added,
    currency: price.currency,
    description: world.products.must(price.product).name,
    metadata: {},
    price: world.render(price),
    quantity: line.quantity ?? 1,
  }
}

function sum(values: readonly { readonly amount: number }[] | null): number {
  return (values ?? []).reduce((total, { amount }) => total + amount, 0)
}

/** The invoice of a payment: its lines, discount and taxes. */
export function draftOfLines(world: World, params: PricedParams, customer: string): InvoiceRow {
  const lines = params.line_items ?? []
  const now = world.now(world.customers.must(customer).own.clock)
  const { id } = createDraft(world, {
    customer,
    subscription: null,
    currency: world.prices.must(lines[0]?.price ?? '').currency,
    reason: 'manual',
    lines: [],
    discounts: [],
    period: { start: now, end: now },
    at: now,
    collectionMethod: 'charge_automatically',
    daysUntilDue: null,
    autoAdvance: false,
  })
  for (const [i, { price, quantity, tax_rates }] of lines.entries()) {
    const item = { customer, invoice: id, pricing: { price }, quantity: quantity ?? 1, tax_rates }
    createInvoiceItem(world, item, `line_items[${i}]`)
  }
  setFields(world, id, { discounts: params.discounts, automatic_tax: params.automatic_tax })
  return world.invoices.must(id)
}

/** The subscription that the session is about. Recurring lines are its items, others go onto its first invoice. */
export function subscribe(
  world: World,
  params: PricedParams,
  customer: string,
  method: string | undefined,
): SubscriptionRow {
  const lines = params.line_items ?? []
  const isRecurring = (price: string) => world.prices.must(price).recurring !== null
  return create(world, {
    ...params.subscription_data,
    customer,
    automatic_tax: params.automatic_tax,
    items: lines.filter(({ price }) => isRecurring(price)),
    add_invoice_items: lines.filter(({ price }) => !isRecurring(price)),
    discounts: params.discounts,
    ...(method === undefined ? {} : { default_payment_method: method }),
  })
}

/** The amounts of a session; a set-up has none. */
export function shownAmounts(sums: Amounts | null) {
  return {
    amount_subtotal: sums?.subtotal ?? null,
    amount_total: sums?.total ?? null,
    payment_status: sums === null || sums.total === 0 ? 'no_payment_required' : 'unpaid',
    total_details:
      sums === null ? null : { amount_discount: sums.discount, amount_shipping: 0, amount_tax: sums.tax },
  }
}

export function taxOf(
  { automatic_tax: tax }: PricedParams,
  sums: Amounts | null,
): CheckoutRow['automatic_tax'] {
  if (tax?.enabled !== true) return { enabled: false, liability: null, provider: null, status: null }
  return { enabled: true, liability: { type: 'self' }, provider: 'stripe', status: sums?.taxStatus ?? null }
}
