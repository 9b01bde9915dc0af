import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { firstPage, inRange, page, pageOf, paging } from '../http/list.ts'
import { get, nothing, post } from '../http/route.ts'
import { gaps, metadata, oneOf, range, shape, text } from '../http/schema.ts'
import type { CheckoutRow, CustomerRow, Json } from '../rows.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { amountsOf, shownAmounts, taxOf } from './checkout-amounts.ts'
import { shownAsks } from './checkout-asks.ts'
import { blankCheckout } from './checkout-blank.ts'
import { type CheckoutParams, checkoutFields, type PricedParams } from './checkout-fields.ts'
import { checkSession, invoiceCreation, priced, shownDiscounts } from './checkout-lines.ts'
import { shownAdjustable } from './checkout-quantities.ts'
import { recoverable, recoveryShown } from './checkout-recovery.ts'
import { expanded, expandedCustomer } from './expanded.ts'
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
    return pageOf(session.own.items as { id: string }[], params, {
      noun: 'line item',
      url: `${URL}/${session.id}/line_items`,
      render: asJson,
    })
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
        noun: 'checkout.session',
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
  const expired = world.checkouts.patch(session.id, {
    status: 'expired',
    url: null,
    after_expiration: recoverable(world, session),
  })
  world.emit('checkout.session.expired', expired)
  return expired
}

function createSession(world: World, given: CheckoutParams): CheckoutRow {
  return insertSession(world, priced(world, given))
}

/** A session that may be a copy of one that expired. */
export function insertSession(
  world: World,
  params: PricedParams,
  recovered: string | null = null,
): CheckoutRow {
  const { mode, line_items: lines = [] } = params
  const customer = params.customer === undefined ? null : liveCustomer(world, params.customer, 'customer')
  const clock = customer?.own.clock ?? null
  const now = world.now(clock)
  const expires = params.expires_at ?? now + DAY
  if (expires < now + 30 * MINUTE || expires > now + DAY) {
    const limit = expires > now + DAY ? 'less than 24 hours' : 'at least 30 minutes'
    throw invalid(
      `The \`expires_at\` timestamp must be ${limit} from Checkout Session creation.`,
      'expires_at',
    )
  }
  if (params.success_url === undefined) {
    throw invalid('Missing required param: success_url.', 'success_url', 'parameter_missing')
  }
  if (mode !== 'setup' && lines.length === 0) {
    throw invalid('Missing required param: line_items.', 'line_items', 'parameter_missing')
  }
  checkSession(world, params)
  const trialEnd = params.subscription_data?.trial_end
  if (trialEnd !== undefined && trialEnd < now + 2 * DAY) {
    throw invalid(
      'The `trial_end` date has to be at least 2 days in the future.',
      'subscription_data[trial_end]',
    )
  }
  const sums = mode === 'setup' ? null : amountsOf(world, params, { customer: customer?.id })
  const id = `cs_test_${world.ids.next('a').slice(2)}`
  const setup =
    mode === 'setup' ? createSetup(world, { customer: customer?.id, ...params.setup_intent_data }) : null
  const creation = creationOf(params, customer !== null)
  const session = world.checkouts.insert({
    ...blankCheckout,
    ...shownAsks(params, customer === null && creation === 'if_required'),
    ...(params.optional_items === undefined ? {} : { optional_items: params.optional_items.map(offered) }),
    after_expiration: recoveryShown(params),
    recovered_from: recovered,
    id,
    object: 'checkout.session',
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    ...shownAmounts(sums),
    automatic_tax: taxOf(params, sums),
    billing_address_collection: params.billing_address_collection ?? null,
    discounts: mode === 'setup' ? null : shownDiscounts(params.discounts),
    invoice_creation: invoiceCreation(params),
    locale: params.locale ?? null,
    submit_type: params.submit_type ?? null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    created: now,
    currency: sums?.currency ?? params.currency ?? null,
    customer: customer?.id ?? null,
    customer_creation: creation,
    customer_details: openDetails(params, customer),
    customer_email: params.customer_email ?? null,
    expires_at: expires,
    metadata: mergeMetadata({}, params.metadata),
    mode,
    payment_method_collection:
      mode === 'payment' ? 'if_required' : (params.payment_method_collection ?? 'always'),
    setup_intent: setup?.id ?? null,
    status: 'open',
    success_url: params.success_url,
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

/** Whether the page makes a customer. */
function creationOf(params: PricedParams, isKnown: boolean): CheckoutRow['customer_creation'] {
  const { mode, customer_creation: asked, invoice_creation: invoice } = params
  if (isKnown) return null
  if (mode === 'setup') return asked ?? null
  if (mode === 'subscription') return 'always'
  return asked ?? (invoice?.enabled === true ? 'always' : 'if_required')
}

function offered({
  price,
  quantity,
  adjustable_quantity: limits,
}: NonNullable<PricedParams['optional_items']>[number]) {
  return { price, quantity, adjustable_quantity: shownAdjustable(limits) }
}

/** While the page is open it says of its visitor the e-mail address that is known, as recorded. */
function openDetails(
  { mode, customer_email: given }: PricedParams,
  customer: CustomerRow | null,
): CheckoutRow['customer_details'] {
  const email = customer?.email ?? given ?? null
  if (email === null) return null
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name: null,
    phone: null,
    tax_exempt: mode === 'setup' ? null : (customer?.tax_exempt ?? 'none'),
    tax_ids: null,
  }
}

export const checkoutExpansions: Expansions = {
  'checkout.session': {
    customer: (world, row) => expandedCustomer(world, row.customer),
    'discounts.coupon': (world, discount) => expanded(world, world.coupons.get(discount.coupon as string)),
    'discounts.promotion_code': (world, discount) =>
      expanded(world, world.promotionCodes.get(discount.promotion_code as string)),
    invoice: (world, row) => expanded(world, world.invoices.get(row.invoice as string)),
    line_items: (world, row) => {
      const { items } = world.checkouts.must(row.id as string).own
      return firstPage(items as { id: string }[], `${URL}/${row.id}/line_items`, asJson)
    },
    payment_intent: (world, row) => expanded(world, world.paymentIntents.get(row.payment_intent as string)),
    setup_intent: (world, row) => expanded(world, world.setupIntents.get(row.setup_intent as string)),
    subscription: (world, row) => expanded(world, world.subscriptions.get(row.subscription as string)),
  },
}

function asJson(item: object): Json {
  return item as Json
}
