import { createDraft } from '../billing/invoices.ts'
import type { CheckoutRow, InvoiceRow, Json, LineRow, SubscriptionRow } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import type { PricedParams } from './checkout-fields.ts'
import { shownAdjustable } from './checkout-quantities.ts'
import { insertCustomer } from './customers.ts'
import { setFields } from './invoice-fields.ts'
import { createInvoiceItem } from './make-invoice-item.ts'
import { create } from './start-subscription.ts'

/** Who buys, as far as the page knows. */
interface Buyer {
  readonly customer: string | undefined
  readonly address?: Json | undefined
  /** Where it is shipped to, in the fields of `customer.shipping`. */
  readonly shipping?: Json | null | undefined
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
  const { invoice, currency, made } = world.rehearse(() => {
    const who = buyer.customer ?? insertCustomer(world, {}, undefined).id
    if (buyer.address !== undefined) world.customers.patch(who, { address: buyer.address as never })
    if (buyer.shipping != null) world.customers.patch(who, { shipping: buyer.shipping as never })
    if (params.mode === 'payment') {
      const { draft, items } = draftOfLines(world, params, who)
      return { invoice: draft, currency: draft.currency, made: items }
    }
    const subscription = subscribe(world, params, who, undefined)
    return { invoice: world.invoices.get(subscription.latest_invoice), currency: subscription.currency }
  })
  if (invoice === undefined) return nothingYet(world, params, currency)
  return {
    currency,
    subtotal: invoice.subtotal,
    total: invoice.total,
    discount: sum(invoice.total_discount_amounts),
    tax: sum(invoice.total_taxes),
    taxStatus: invoice.automatic_tax.status,
    items: (params.line_items ?? []).map((line) => itemOf(world, line, linesOf(invoice, line, made))),
  }
}

/** The lines of an invoice that one of the session became: by its invoice item, where it is one, else by its price. */
function linesOf(
  { own }: InvoiceRow,
  { id, price }: NonNullable<PricedParams['line_items']>[number],
  made: ReadonlyMap<string, string> | undefined,
): LineRow[] {
  return own.lines.filter(({ parent, pricing }) =>
    made === undefined
      ? pricing?.price_details?.price === price
      : parent?.invoice_item_details?.invoice_item === made.get(id),
  )
}

/** Of usage alone no invoice is made before it is used. https://docs.stripe.com/billing/subscriptions/billing-mode/compare */
function nothingYet(world: World, params: PricedParams, currency: string): Amounts {
  const items = (params.line_items ?? []).map((line) => itemOf(world, line, []))
  return { currency, subtotal: 0, total: 0, discount: 0, tax: 0, taxStatus: null, items }
}

function itemOf(
  world: World,
  line: NonNullable<PricedParams['line_items']>[number],
  own: readonly LineRow[],
): Json {
  const price = world.prices.must(line.price)
  const subtotal = sum(own)
  const discount = own.reduce((total, row) => total + sum(row.discount_amounts), 0)
  const taxes = own.flatMap((row) => row.taxes ?? [])
  const added = sum(taxes.filter((tax) => tax.tax_behavior === 'exclusive'))
  return {
    id: line.id,
    object: 'item',
    adjustable_quantity: shownAdjustable(line.adjustable_quantity),
    amount_discount: discount,
    amount_subtotal: subtotal,
    amount_tax: sum(taxes),
    amount_total: subtotal - discount + added,
    currency: price.currency,
    description: world.products.must(price.product).name,
    metadata: mergeMetadata({}, line.metadata),
    price: world.render(price),
    quantity: line.quantity ?? null,
  }
}

function sum(values: readonly { readonly amount: number }[] | null): number {
  return (values ?? []).reduce((total, { amount }) => total + amount, 0)
}

/** The invoice of a payment: its lines, discount and taxes; and the invoice items by the ids of the lines. */
export function draftOfLines(
  world: World,
  params: PricedParams,
  customer: string,
): { readonly draft: InvoiceRow; readonly items: ReadonlyMap<string, string> } {
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
  const items = new Map<string, string>()
  for (const [i, { id: line, price, quantity, tax_rates }] of lines.entries()) {
    const item = { customer, invoice: id, pricing: { price }, quantity: quantity ?? 1, tax_rates }
    // Whether it is for sale was asked when the session was made.
    items.set(line, createInvoiceItem(world, { ...item, mayBeArchived: true }, `line_items[${i}]`).id)
  }
  setFields(world, id, { discounts: params.discounts, automatic_tax: params.automatic_tax })
  return { draft: world.invoices.must(id), items }
}

/** The subscription that the session is about. Recurring lines are its items, others go onto its first invoice. */
export function subscribe(
  world: World,
  params: PricedParams,
  customer: string,
  method: string | undefined,
): SubscriptionRow {
  const bought = (params.line_items ?? []).map(({ price, quantity, tax_rates }) => ({
    price,
    quantity,
    tax_rates,
  }))
  const isRecurring = (price: string) => world.prices.must(price).recurring !== null
  return create(world, {
    ...params.subscription_data,
    customer,
    automatic_tax: params.automatic_tax,
    items: bought.filter(({ price }) => isRecurring(price)),
    add_invoice_items: bought.filter(({ price }) => !isRecurring(price)),
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
