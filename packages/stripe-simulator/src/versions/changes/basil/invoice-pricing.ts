import type Stripe from 'stripe'
import { renderPlan } from '../../../resources/plan-view.ts'
import type { Json } from '../../../rows.ts'
import type { Shown } from '../../../shown.ts'
import type { World } from '../../../world.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

type Priced = { readonly pricing: Shown<Stripe.InvoiceLineItem>['pricing'] }

const priceOf = ({ pricing }: Priced, world: World) => world.prices.get(pricing?.price_details?.price)

function price(priced: Priced, world: World): Json | null {
  const row = priceOf(priced, world)
  return row === undefined ? null : world.render(row)
}

/** One-time prices never were plans. */
function plan(priced: Priced, world: World): Json | null {
  const row = priceOf(priced, world)
  return row === undefined || row.recurring === null ? null : renderPlan(row)
}

const decimalOf = ({ pricing }: Priced) => pricing?.unit_amount_decimal ?? null

/** Null when it has decimals. */
function unitAmount(priced: Priced): number | null {
  const decimal = decimalOf(priced)
  return decimal !== null && /^-?\d+$/.test(decimal) ? Number(decimal) : null
}

function ofItem(given: Given): void {
  given.move('price', 'pricing[price]')
  given.move('unit_amount', 'unit_amount_decimal')
}

/** Lines had no unit amount of their own. */
function ofLines(given: Given): void {
  for (const line of given.entries('lines')) given.move(`${line}[price]`, `${line}[pricing][price]`)
}

export const invoicePricing = change({
  since: '2025-03-31.basil',
  what: 'Items and lines of invoices name their price under `pricing`; they embedded it, as price and as plan.',
  source: 'https://docs.stripe.com/changelog/basil/2025-03-31/invoice-pricing-configurations',
  show: {
    invoiceitem: {
      drop: ['pricing'],
      give: { price, plan, unit_amount: unitAmount, unit_amount_decimal: decimalOf },
    },
    line_item: { drop: ['pricing'], give: { price, plan } },
  },
  parameters: {
    'POST /v1/invoiceitems': ['pricing'],
    'POST /v1/invoiceitems/:id': ['pricing'],
    'POST /v1/invoices/:id/add_lines': ['lines[][pricing]'],
    'POST /v1/invoices/:id/update_lines': ['lines[][pricing]'],
    'POST /v1/invoices/:id/lines/:line': ['pricing'],
  },
  accept: {
    'POST /v1/invoiceitems': ofItem,
    'POST /v1/invoiceitems/:id': ofItem,
    'POST /v1/invoices/:id/add_lines': ofLines,
    'POST /v1/invoices/:id/update_lines': ofLines,
    'POST /v1/invoices/:id/lines/:line': (given) => given.move('price', 'pricing[price]'),
  },
  expand: { line_item: { 'pricing.price_details.price': null } },
})
