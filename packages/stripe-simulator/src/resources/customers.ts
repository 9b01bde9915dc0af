import type Stripe from 'stripe'
import { customerTax, refuseNowhere } from '../billing/automatic-tax.ts'
import { changeBalance } from '../billing/balance.ts'
import { deleteCustomer } from '../billing/clocks.ts'
import { retryPastDue } from '../billing/retry-past-due.ts'
import { invalid, missing, StripeError } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { firstPage, inRange, page, pageOf, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import {
  clearable,
  gaps,
  integer,
  type Kind,
  list,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
} from '../http/schema.ts'
import type { CustomerRow, Json } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { address } from './address-param.ts'
import { customerDiscount } from './discounts.ts'
import { email } from './email-param.ts'
import { deletedShown } from './expanded.ts'
import { find, liveCustomer } from './lookup.ts'
import { ALLOW_REDISPLAY, findMethod, useMethod } from './make-method.ts'
import { anyMethodType } from './method-type.ts'
import { detachMethod, holdMethod } from './payment-methods.ts'
import { expandedSource, listSources, sourceOf, sourceParam, takeSource, tellKept } from './sources.ts'
import { createTaxId, listTaxIds, taxIdParam } from './tax-ids.ts'

const URL = '/v1/customers'

const shippingFields = shape({ address: required(address), name: required(text()), phone: text() })

/** Where things are sent, as it is answered: with a telephone number or null. */
export const shipping: Kind<NonNullable<CustomerRow['shipping']>> & Pick<typeof shippingFields, 'fields'> = {
  fields: shippingFields.fields,
  parse: (raw, path) => ({ phone: null, ...shippingFields.parse(raw, path) }),
}

const exemption = oneOf(['none', 'exempt', 'reverse'] as const)

/** Unset is what nobody said: `none`. */
const taxExempt: typeof exemption = {
  parse: (raw, path) => (raw === '' ? 'none' : exemption.parse(raw, path)),
}

/** Recorded: github.com/Kiln-AI/stripe_world, tests/conformance/cassettes/probe_invoice_prefix.json (2026-08-26.dahlia). */
const prefix: Kind<string> = {
  parse(raw, path) {
    const given = text().parse(raw, path)
    if (/^[A-Z0-9]{1,12}$/.test(given)) return given
    throw invalid('Invoice number prefix must be 1–12 uppercase letters or numbers.')
  },
}

const fields = {
  email: clearable(email(512)),
  name: clearable(text(256)),
  phone: clearable(text(20)),
  description: clearable(text()),
  metadata,
  address: clearable(address),
  shipping: clearable(shipping),
  balance: integer(),
  invoice_prefix: prefix,
  next_invoice_sequence: integer({ min: 1 }),
  preferred_locales: list(text()),
  tax_exempt: taxExempt,
  business_name: clearable(text(150)),
  individual_name: clearable(text(150)),
  invoice_settings: shape({
    default_payment_method: clearable(text()),
    footer: clearable(text()),
    custom_fields: clearable(list(shape({ name: required(text(40)), value: required(text(140)) }), 4)),
    rendering_options: clearable(
      shape({
        amount_tax_display: clearable(oneOf(['exclude_tax', 'include_inclusive_tax'] as const)),
        ...gaps('template'),
      }),
    ),
  }),
  tax: shape({
    validate_location: oneOf(['auto', 'deferred', 'immediately'] as const),
    ...gaps('ip_address'),
  }),
  source: sourceParam,
  ...gaps('cash_balance', 'validate'),
}

export const customerRoutes = [
  post(
    URL,
    shape({ ...fields, test_clock: text(), payment_method: text(), tax_id_data: list(taxIdParam, 5) }),
    ({ world, params }) => {
      const {
        test_clock: clock,
        payment_method: token,
        invoice_settings: settings,
        balance,
        tax,
        tax_id_data: taxIds = [],
        source,
        ...given
      } = params
      refuseTaken(world, given.invoice_prefix, null)
      const customer = insertCustomer(world, given, clock)
      const card = source === undefined ? undefined : holdMethod(world, takeSource(world, source), customer)
      if (card !== undefined) world.customers.patch(customer.id, { default_source: card.id })
      const method =
        token === undefined
          ? undefined
          : holdMethod(world, useMethod(world, token, 'payment_method'), customer)
      if (settings !== undefined) {
        // A test token that is given in both places is one method.
        const isSame = method !== undefined && settings.default_payment_method === token
        const own = isSame ? { ...settings, default_payment_method: method.id } : settings
        setInvoiceSettings(world, customer.id, own)
      }
      validateLocation(world, customer.id, tax)
      const created = world.customers.must(customer.id)
      world.emit('customer.created', created)
      if (card !== undefined) tellKept(world, card)
      if (method !== undefined) world.emit('payment_method.attached', method)
      for (const taxId of taxIds) createTaxId(world, created, taxId)
      if (balance !== undefined && balance !== 0)
        changeBalance(world, created.id, balance, { type: 'initial' })
      return world.render(world.customers.must(created.id))
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => {
    const customer = find(world.customers, 'customer', path())
    return customer.own.deleted ? deletedShown(customer) : world.render(customer)
  }),
  post(`${URL}/:id`, shape({ ...fields, default_source: text() }), ({ world, params, path }) => {
    const customer = liveCustomer(world, path())
    refuseTaken(world, params.invoice_prefix, customer.id)
    const {
      metadata: labels,
      invoice_settings: settings,
      balance,
      tax,
      invoice_prefix: prefix,
      source,
      default_source: named,
      ...changes
    } = params
    if (source !== undefined) {
      const card = holdMethod(world, takeSource(world, source), customer)
      world.customers.patch(customer.id, { default_source: card.id })
      tellKept(world, card)
    }
    if (named !== undefined) {
      const { id } = sourceOf(world, customer.id, named, 'default_source')
      world.customers.patch(customer.id, { default_source: id })
    }
    world.customers.patch(customer.id, {
      ...defined(changes),
      ...(prefix === undefined ? {} : { invoice_prefix: prefix }),
      metadata: mergeMetadata(customer.metadata, labels),
    } as Partial<CustomerRow>)
    if (settings !== undefined) setInvoiceSettings(world, customer.id, settings)
    validateLocation(world, customer.id, tax)
    if (balance !== undefined && balance !== customer.balance) {
      changeBalance(world, customer.id, balance - customer.balance, { type: 'adjustment' })
    }
    world.emit('customer.updated', world.customers.must(customer.id))
    if (source !== undefined) {
      // Its older name: "delete the old customer default if one exists".
      const replaced = world.paymentMethods.get(customer.default_source)
      if (replaced !== undefined) detachMethod(world, replaced)
      retryPastDue(world, customer.id)
    }
    return world.render(world.customers.must(customer.id))
  }),
  get(
    URL,
    shape({ ...paging, created: range, email: text(512), test_clock: text() }),
    ({ world, params }) => {
      if (params.test_clock !== undefined)
        find(world.testClocks, 'billingclock', params.test_clock, 'test_clock')
      // Customers on a test clock come only when their clock is asked for.
      const clock = params.test_clock ?? 'wall'
      return page(world.customers, params, {
        noun: 'customer',
        url: URL,
        where:
          params.email === undefined ? { index: 'clock', key: clock } : { index: 'email', key: params.email },
        matches: (row) =>
          !row.own.deleted && (row.own.clock ?? 'wall') === clock && inRange(row.created, params.created),
        render: (row) => world.render(row),
      })
    },
  ),
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const customer = liveCustomer(world, path())
    deleteCustomer(world, customer.id)
    return deletedShown(customer)
  }),
  get(
    `${URL}/:id/payment_methods`,
    shape({ ...paging, type: anyMethodType, allow_redisplay: oneOf(ALLOW_REDISPLAY) }),
    ({ world, params, path }) => {
      const customer = liveCustomer(world, path())
      const methods = world.paymentMethods
        .by('customer', customer.id)
        .filter((row) => (params.type ?? row.type) === row.type)
        .filter((row) => (params.allow_redisplay ?? row.allow_redisplay) === row.allow_redisplay)
        .reverse()
      return pageOf(methods, params, {
        noun: 'PaymentMethod',
        url: `${URL}/${customer.id}/payment_methods`,
        render: (row) => world.render(row),
      })
    },
  ),
  get(`${URL}/:id/payment_methods/:method`, nothing, ({ world, path }) => {
    const customer = liveCustomer(world, path())
    const method = findMethod(world, path('method'))
    if (method === undefined) throw missing('PaymentMethod', path('method'))
    if (method.customer !== customer.id) throw notTheirs()
    return world.render(method)
  }),
]

export const customerExpansions: Expansions = {
  customer: {
    discount: (world, customer) => {
      const discount = customerDiscount(world, customer.id as string)
      return discount === undefined ? null : world.render(discount)
    },
    'invoice_settings.default_payment_method': (world, settings) => {
      const method = world.paymentMethods.get(settings.default_payment_method as string)
      return method === undefined ? null : world.render(method)
    },
    subscriptions: (world, customer) => {
      const id = customer.id as string
      const running = world.subscriptions
        .by('customer', id)
        .filter((row) => row.status !== 'canceled' && row.status !== 'incomplete_expired')
        .reverse()
      return firstPage(running, `/v1/subscriptions?customer=${id}`, (row) => world.render(row))
    },
    default_source: (world, customer) => expandedSource(world, customer.default_source),
    sources: (world, customer) => listSources(world, customer.id as string),
    tax: (world, customer) => customerTax(world.customers.must(customer.id as string)),
    tax_ids: (world, customer) => listTaxIds(world, customer.id as string, {}),
    test_clock: (world, customer) =>
      customer.test_clock === null
        ? null
        : world.render(world.testClocks.must(customer.test_clock as string)),
  },
}

export function renderCustomer(world: World, customer: CustomerRow): Shown<Stripe.Customer> {
  const discount = customerDiscount(world, customer.id)
  return {
    ...customer,
    own: undefined,
    discount: discount === undefined ? null : world.render(discount),
  }
}

/** Of a method that is another's or nobody's, as recorded (stripe_world, cassette 06). */
function notTheirs(): StripeError {
  return new StripeError(404, {
    type: 'invalid_request_error',
    message: 'Invalid request',
    param: 'customer',
  })
}

/** Two customers have no prefix in common. Recorded beside its form. */
function refuseTaken(world: World, prefix: string | undefined, own: string | null): void {
  const holder = prefix === undefined ? undefined : world.customers.by('prefix', prefix)[0]
  if (holder === undefined || holder.id === own) return
  throw invalid(
    `This invoice number prefix is taken by customer: ${holder.id}. Please enter a different prefix.`,
    'invoice_prefix',
  )
}

export function insertCustomer(world: World, given: Json, clockId: string | undefined): CustomerRow {
  const clock = clockId === undefined ? null : find(world.testClocks, 'billingclock', clockId, 'test_clock')
  if (clock !== null && !world.settings.unlimitedClocks && world.customers.count('clock', clock.id) >= 3) {
    throw invalid('A test clock can have at most 3 customers.', 'test_clock')
  }
  const { metadata: labels, ...rest } = given
  return world.customers.insert({
    object: 'customer',
    address: null,
    balance: 0,
    created: world.now(clock?.id ?? null),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    email: null,
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: clock?.id ?? null,
    invoice_prefix: world.ids.secret(8).toUpperCase(),
    ...defined(rest),
    id: world.ids.next('cus'),
    metadata: mergeMetadata({}, labels as Record<string, string> | null | undefined),
    own: { clock: clock?.id ?? null, deleted: false },
  })
}

/** `immediately` wants a place that can be taxed now; otherwise it is asked for when tax is calculated. */
function validateLocation(
  world: World,
  id: string,
  tax: { validate_location?: 'auto' | 'deferred' | 'immediately' | undefined } | undefined,
): void {
  if (tax?.validate_location === 'immediately') refuseNowhere(world, id)
}

function setInvoiceSettings(
  world: World,
  id: string,
  given: {
    default_payment_method?: string | null | undefined
    footer?: string | null | undefined
    custom_fields?: { name: string; value: string }[] | null | undefined
    rendering_options?: { amount_tax_display?: string | null | undefined } | null | undefined
  },
): void {
  const customer = world.customers.must(id)
  const { default_payment_method: token, rendering_options: rendering, ...rest } = given
  const settings = { ...customer.invoice_settings, ...defined(rest) }
  if (rendering !== undefined) {
    settings.rendering_options =
      rendering === null ? null : { amount_tax_display: rendering.amount_tax_display ?? null, template: null }
  }
  if (token !== undefined) {
    const param = 'invoice_settings[default_payment_method]'
    // The empty text takes it away.
    settings.default_payment_method = token === null ? null : ownMethod(world, customer.id, token, param)
  }
  world.customers.patch(id, { invoice_settings: settings })
}

/** A method that is attached to the customer. A test token is a new one at each use, so it is nobody's. */
export function ownMethod(world: World, customer: string, id: string, param: string): string {
  const method = useMethod(world, id, param)
  if (method.customer !== customer) {
    throw invalid(
      `The customer does not have a payment method with the ID ${method.id}. The payment method must be attached to the customer.`,
      param,
      'resource_missing',
    )
  }
  return method.id
}
