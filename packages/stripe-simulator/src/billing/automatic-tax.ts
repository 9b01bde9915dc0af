import { StripeError } from '../errors.ts'
import type { CustomerRow, InvoiceRow, Json, LineRow, TaxRateRow } from '../rows.ts'
import { locationOf, type TaxLocation, taxAt } from '../rules/tax-table.ts'
import type { World } from '../world.ts'

/** Where the customer is taxed: at the billing address, or where things are sent. https://docs.stripe.com/tax/customer-locations */
function customerLocation({ address, shipping }: CustomerRow): TaxLocation | null {
  return locationOf(address) ?? locationOf(shipping?.address)
}

/** What `expand: ['tax']` shows of a customer. https://docs.stripe.com/api/customers/object#customer_object-tax */
export function customerTax(customer: CustomerRow): Json {
  const location = customerLocation(customer)
  const source = locationOf(customer.address) === null ? 'shipping_destination' : 'billing_address'
  const collected = location !== null && taxAt(location) !== null
  return {
    automatic_tax: location === null ? 'unrecognized_location' : collected ? 'supported' : 'not_collecting',
    ip_address: null,
    location: location === null ? null : { ...location, source },
    provider: 'stripe',
  }
}

/** Automatic tax as an object shows it that was not calculated yet. */
export function automaticTax(enabled: boolean): InvoiceRow['automatic_tax'] {
  return {
    disabled_reason: null,
    enabled,
    liability: enabled ? { type: 'self' } : null,
    provider: enabled ? 'stripe' : null,
    status: null,
  }
}

/** The rates of a line of an invoice that is taxed automatically; none where nothing is collected. */
export function automaticRates(world: World, invoice: InvoiceRow, line: LineRow): string[] {
  const location = customerLocation(world.customers.must(invoice.customer))
  const tax = location === null ? null : taxAt(location)
  if (location === null || tax === null) return []
  const inclusive = behaviorOf(world, line) === 'inclusive'
  return [rateOf(world, location, inclusive).id]
}

/** A price that does not say is taxed on top. */
function behaviorOf(world: World, line: LineRow): string {
  const price = world.prices.get(line.pricing?.price_details?.price)
  return line.own.taxBehavior ?? price?.tax_behavior ?? 'unspecified'
}

/** The rate of a place, made when it is first needed. Its id says which it is. */
function rateOf(world: World, location: TaxLocation, inclusive: boolean): TaxRateRow {
  const tax = taxAt(location)
  if (tax === null) throw new Error(`nothing is collected in ${location.country}`)
  const id = ['txr_auto', location.country, location.state, inclusive ? 'inclusive' : 'exclusive']
    .filter((part) => part !== null)
    .join('_')
  const present = world.taxRates.get(id)
  if (present !== undefined) return present
  return world.taxRates.insert({
    object: 'tax_rate',
    // As at Stripe, nobody else may use it.
    active: false,
    country: location.country,
    created: world.now(null),
    description: null,
    display_name: tax.name,
    effective_percentage: Number(tax.percent),
    flat_amount: null,
    inclusive,
    jurisdiction: location.state ?? location.country,
    jurisdiction_level: location.state === null ? 'country' : 'state',
    livemode: false,
    metadata: {},
    percentage: Number(tax.percent),
    rate_type: 'percentage',
    state: location.state,
    tax_type: tax.type,
    id,
    own: { percent: tax.percent },
  } as TaxRateRow)
}

/** The state of a calculation: done, or waiting to be told where the customer is. */
export function automaticStatus(world: World, invoice: InvoiceRow): InvoiceRow['automatic_tax'] {
  const tax = invoice.automatic_tax
  if (!tax.enabled) return tax
  const known = customerLocation(world.customers.must(invoice.customer)) !== null
  return { ...tax, status: known ? 'complete' : 'requires_location_inputs' }
}

/** Nothing can be taxed automatically at nowhere. https://docs.stripe.com/error-codes#customer-tax-location-invalid */
export function refuseNowhere(world: World, customer: string): void {
  if (customerLocation(world.customers.must(customer)) === null) throw locationInvalid()
}

/** A draft that waits for a location cannot be finalized. */
export function refuseUntaxable(world: World, id: string): void {
  const { automatic_tax: tax, customer } = world.invoices.must(id)
  // A preview may lack a place, and says so.
  if (tax.enabled && !world.preview) refuseNowhere(world, customer as string)
}

/**
 * The same for somebody who asks for it, and for a draft whose hour is over: the attempt is recorded and told
 * of. Null when there is nothing in the way. https://docs.stripe.com/invoicing/integration/workflow-transitions
 */
export function failFinalization(world: World, id: string): StripeError | null {
  const { automatic_tax: tax, customer } = world.invoices.must(id)
  if (!tax.enabled || customerLocation(world.customers.must(customer)) !== null) return null
  const { status, body } = locationInvalid()
  const failed = world.invoices.patch(id, {
    automatic_tax: { ...tax, status: 'requires_location_inputs' },
    last_finalization_error: body as unknown as InvoiceRow['last_finalization_error'],
  })
  world.emit('invoice.finalization_failed', failed)
  return new StripeError(status, body, true)
}

function locationInvalid(): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'customer_tax_location_invalid',
    message:
      "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax.",
  })
}
