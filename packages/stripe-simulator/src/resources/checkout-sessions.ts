import { isMetered } from '../billing/metered.ts'
import { termsOf } from '../billing/periods.ts'
import { gap, invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, pageOf, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { gaps, metadata, oneOf, range, shape, text } from '../http/schema.ts'
import type { CheckoutRow, Json } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import { priceAmount } from '../rules/pricing.ts'
import type { World } from '../world.ts'
import { blankCheckout } from './checkout-blank.ts'
import { type CheckoutParams, checkoutFields } from './checkout-fields.ts'
import { subscribe } from './complete-checkout.ts'
import { insertCustomer } from './customers.ts'
import { find, liveCustomer } from './lookup.ts'
import { createSetup } from './setup-intents.ts'

const URL = '/v1/checkout/sessions'
const MINUTE = 60
const DAY = 86_400

/** Checkout with a page that the simulator hosts. https://docs.stripe.com/api/checkout/sessions */
export const checkoutRoutes = [
  post(URL, shape(checkoutFields), ({ world, params }) => world.render(createSession(world, params))),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(sessionOf(world, path()))),
  post(`${URL}/:id`, shape({ metadata, ...gaps('shipping_options') }), ({ world, params, path }) => {
    const session = sessionOf(world, path())
    return world.render(
      world.checkouts.patch(session.id, { metadata: mergeMetadata(session.metadata ?? {}, params.metadata) }),
    )
  }),
  post(`${URL}/:id/expire`, nothing, ({ world, path }) => {
    const session = sessionOf(world, path())
    if (session.status !== 'open') {
      throw invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
    }
    return world.render(expireCheckout(world, session))
  }),
  get(`${URL}/:id/line_items`, shape(paging), ({ world, params, path }) => {
    const session = sessionOf(world, path())
    return pageOf(session.own.items as { id: string }[], params, `${URL}/${session.id}/line_items`, asJson)
  }),
  get(
    URL,
    shape({
      ...paging,
      created: range,
      customer: text(),
      payment_intent: text(),
      subscription: text(),
      status: oneOf(['open', 'complete', 'expired'] as const),
      ...gaps('customer_account', 'customer_details', 'payment_link'),
    }),
    ({ world, params }) =>
      page(world.checkouts, params, {
        url: URL,
        where: null,
        matches: (row) =>
          (['customer', 'payment_intent', 'subscription', 'status'] as const).every(
            (name) => params[name] === undefined || row[name] === params[name],
          ) && inRange(row.created, params.created),
        render: (row) => world.render(row),
      }),
  ),
]

function sessionOf(world: World, id: string): CheckoutRow {
  return find(world.checkouts, 'checkout.session', id)
}

export function expireCheckout(world: World, session: CheckoutRow): CheckoutRow {
  world.alarm('checkout.expire', session.id, session.own.clock, null)
  const expired = world.checkouts.patch(session.id, { status: 'expired', url: null })
  world.emit('checkout.session.expired', expired)
  return expired
}

function createSession(world: World, params: CheckoutParams): CheckoutRow {
  const { mode, line_items: lines = [] } = params
  const customer = params.customer === undefined ? null : liveCustomer(world, params.customer, 'customer')
  const clock = customer?.own.clock ?? null
  const now = world.now(clock)
  const expires = params.expires_at ?? now + DAY
  if (expires < now + 30 * MINUTE || expires > now + DAY) {
    throw invalid(
      'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.',
      'expires_at',
    )
  }
  if (params.success_url === undefined) {
    throw invalid('Missing required param: success_url.', 'success_url', 'parameter_missing')
  }
  if (mode !== 'setup' && lines.length === 0) {
    throw invalid('Missing required param: line_items.', 'line_items', 'parameter_missing')
  }
  checkLines(world, params)
  const trialEnd = params.subscription_data?.trial_end
  if (trialEnd !== undefined && trialEnd < now + 2 * DAY) {
    throw invalid(
      'The `trial_end` date has to be at least 2 days in the future.',
      'subscription_data[trial_end]',
    )
  }
  const sums = mode === 'setup' ? null : amountsOf(world, params, customer?.id)
  const id = `cs_test_${world.ids.next('a').slice(2)}`
  const setup =
    mode === 'setup' ? createSetup(world, { customer: customer?.id, ...params.setup_intent_data }) : null
  const session = world.checkouts.insert({
    ...blankCheckout,
    id,
    object: 'checkout.session',
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    amount_subtotal: sums?.subtotal ?? null,
    amount_total: sums?.total ?? null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    created: now,
    currency: sums?.currency ?? params.currency ?? null,
    customer: customer?.id ?? null,
    customer_creation:
      customer !== null || mode === 'setup'
        ? null
        : mode === 'subscription'
          ? 'always'
          : (params.customer_creation ?? 'if_required'),
    customer_email: params.customer_email ?? null,
    expires_at: expires,
    metadata: mergeMetadata({}, params.metadata),
    mode,
    payment_method_collection:
      mode === 'subscription' ? (params.payment_method_collection ?? 'always') : 'always',
    payment_status: sums === null || sums.total === 0 ? 'no_payment_required' : 'unpaid',
    setup_intent: setup?.id ?? null,
    status: 'open',
    success_url: params.success_url,
    total_details:
      sums === null ? null : { amount_discount: sums.discount, amount_shipping: 0, amount_tax: sums.tax },
    ui_mode: 'hosted_page',
    url: `${world.baseUrl}/_simulator/checkout/${id}`,
    own: {
      clock,
      params,
      items: sums?.items ?? [],
      paymentIntentData: {
        ...params.payment_intent_data,
        metadata: mergeMetadata({}, params.payment_intent_data?.metadata),
      },
    },
  } as CheckoutRow)
  world.alarm('checkout.expire', id, clock, expires)
  return session
}

function checkLines(world: World, { mode, line_items: lines = [], discounts }: CheckoutParams): void {
  let recurring = 0
  for (const [i, { price, tax_rates: rates }] of lines.entries()) {
    const row = find(world.prices, 'price', price, `line_items[${i}][price]`)
    if (row.custom_unit_amount !== null)
      throw gap('amounts that the customer chooses', `line_items[${i}][price]`)
    if (row.recurring !== null) recurring++
    if (mode === 'payment' && rates != null)
      throw gap('tax rates in payment mode', `line_items[${i}][tax_rates]`)
  }
  if (mode === 'payment' && recurring > 0) {
    throw invalid(
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      'line_items',
    )
  }
  if (mode === 'subscription' && recurring === 0) {
    throw invalid('You must provide at least one recurring price in `subscription` mode.', 'line_items')
  }
  const prices = lines.map((line) => world.prices.must(line.price))
  if (mode === 'subscription' && prices.every(isMetered))
    throw gap('sessions of nothing but usage', 'line_items')
  if (mode === 'payment' && discounts !== undefined) throw gap('discounts in payment mode', 'discounts')
}

/** What the page asks for. A subscription's first invoice is made and taken back, so it cannot differ. */
function amountsOf(world: World, params: CheckoutParams, customer: string | undefined) {
  const lines = (params.line_items ?? []).map(({ price, quantity = 1 }) => {
    const row = world.prices.must(price)
    return { row, quantity, subtotal: priceAmount(termsOf(row), quantity) }
  })
  const item = (
    line: (typeof lines)[number],
    subtotal: number,
    discount: number,
    tax: number,
    total: number,
  ) => ({
    id: world.ids.next('li'),
    object: 'item',
    amount_discount: discount,
    amount_subtotal: subtotal,
    amount_tax: tax,
    amount_total: total,
    currency: line.row.currency,
    description: world.products.must(line.row.product).name,
    metadata: {},
    price: world.render(line.row),
    quantity: line.quantity,
  })
  const currency = lines[0]?.row.currency ?? 'usd'
  if (params.mode === 'payment') {
    const total = lines.reduce((sum, line) => sum + line.subtotal, 0)
    const items = lines.map((line) => item(line, line.subtotal, 0, 0, line.subtotal))
    return { currency, subtotal: total, total, discount: 0, tax: 0, items }
  }
  const invoice = world.rehearse(() => {
    const who = customer ?? insertCustomer(world, {}, undefined).id
    return world.invoices.must(subscribe(world, params, who, undefined).latest_invoice)
  })
  const sum = (values: readonly { readonly amount: number }[] | null) =>
    (values ?? []).reduce((total, { amount }) => total + amount, 0)
  const items = lines.map((line) => {
    const own = invoice.own.lines.filter((row) => row.pricing?.price_details?.price === line.row.id)
    const subtotal = sum(own)
    const discount = own.reduce((total, row) => total + sum(row.discount_amounts), 0)
    const taxes = own.flatMap((row) => row.taxes ?? [])
    const added = sum(taxes.filter((tax) => tax.tax_behavior === 'exclusive'))
    return item(line, subtotal, discount, sum(taxes), subtotal - discount + added)
  })
  return {
    currency,
    subtotal: invoice.subtotal,
    total: invoice.total,
    discount: sum(invoice.total_discount_amounts),
    tax: sum(invoice.total_taxes),
    items,
  }
}

export const checkoutExpansions: Expansions = {
  'checkout.session': {
    customer: (world, row) => renderOr(world, world.customers.get(row.customer as string)),
    invoice: (world, row) => renderOr(world, world.invoices.get(row.invoice as string)),
    line_items: (world, row) => {
      const { items } = world.checkouts.must(row.id as string).own
      return pageOf(items as { id: string }[], {}, `${URL}/${row.id}/line_items`, asJson)
    },
    payment_intent: (world, row) => renderOr(world, world.paymentIntents.get(row.payment_intent as string)),
    setup_intent: (world, row) => renderOr(world, world.setupIntents.get(row.setup_intent as string)),
    subscription: (world, row) => renderOr(world, world.subscriptions.get(row.subscription as string)),
  },
}

function renderOr(world: World, row: { object: string } | undefined): Json | null {
  return row === undefined ? null : world.render(row)
}

function asJson(item: object): Json {
  return item as Json
}
