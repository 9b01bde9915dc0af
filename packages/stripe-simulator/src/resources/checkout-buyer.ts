import type { CheckoutRow, CustomerRow, PaymentMethodRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { whole } from '../rules/whole-address.ts'
import type { World } from '../world.ts'
import type { Answered } from './checkout-answers.ts'
import type { Completion } from './checkout-form.ts'
import { insertCustomer } from './customers.ts'
import { createTaxId } from './tax-ids.ts'

/** The customer that the page makes, with all that was said on it. */
export function newCustomer(world: World, session: CheckoutRow, how: Completion, answered: Answered): string {
  const said = {
    email: how.email ?? session.customer_email ?? undefined,
    name: nameOf(how, answered),
    address: how.address === undefined ? undefined : whole(how.address),
    phone: answered.phone ?? undefined,
    shipping: shippingOf(answered),
    business_name: answered.business ?? undefined,
    individual_name: answered.individual ?? undefined,
  }
  const customer = insertCustomer(world, defined(said), undefined)
  world.emit('customer.created', customer)
  if (answered.taxId !== null) createTaxId(world, customer, answered.taxId)
  return customer.id
}

/**
 * What goes to a customer who was there before: the phone number and the names as they were collected, the tax id, and
 * of the rest what `customer_update` lets through. "If the Customer does not have a valid email, Checkout will set the
 * email entered during the session on the Customer." https://docs.stripe.com/api/checkout/sessions/create
 */
export function saveToCustomer(
  world: World,
  session: CheckoutRow,
  how: Completion,
  answered: Answered,
): void {
  if (session.customer === null) return
  const before = world.customers.must(session.customer)
  const update = session.own.params.customer_update
  const changes = defined({
    address: update?.address === 'auto' && how.address !== undefined ? whole(how.address) : undefined,
    name: update?.name === 'auto' ? nameOf(how, answered) : undefined,
    shipping: update?.shipping === 'auto' ? shippingOf(answered) : undefined,
    phone: answered.phone ?? undefined,
    email: before.email === null ? how.email : undefined,
    business_name: answered.business ?? undefined,
    individual_name: answered.individual ?? undefined,
  })
  if (Object.keys(changes).length > 0) {
    const next = world.customers.patch(before.id, changes as Partial<CustomerRow>)
    world.emit('customer.updated', next)
  }
  if (answered.taxId !== null) createTaxId(world, before, answered.taxId)
}

/** "The session saves the business name as the customer's name." https://docs.stripe.com/tax/checkout/tax-ids */
function nameOf(how: Completion, { business, individual }: Answered): string | undefined {
  return business ?? individual ?? how.name
}

function shippingOf({ shipping, phone }: Answered) {
  if (shipping === null) return undefined
  return { ...shipping, ...(phone === null ? {} : { phone }) }
}

/** Who holds the method, as it was said on the page. */
export function billedTo(
  world: World,
  method: PaymentMethodRow,
  session: CheckoutRow,
  how: Completion,
  { phone }: Answered,
): PaymentMethodRow {
  const before = method.billing_details
  const said = defined({
    email: how.email ?? session.customer_email ?? world.customers.get(session.customer)?.email ?? undefined,
    name: how.name,
    phone: phone ?? undefined,
    address: how.address === undefined ? undefined : whole(how.address),
  })
  return world.paymentMethods.patch(method.id, {
    billing_details: { ...before, ...said } as PaymentMethodRow['billing_details'],
  })
}

/** What the completed session says of the buyer. */
export function buyerShown(
  world: World,
  customer: CustomerRow | undefined,
  session: CheckoutRow,
  how: Completion,
  answered: Answered,
) {
  const known = customer === undefined ? [answered.taxId] : world.taxIds.by('customer', customer.id)
  const taxIds = known.flatMap((id) => (id === null ? [] : [{ type: id.type, value: id.value }]))
  return {
    customer_details: {
      address: how.address === undefined ? (customer?.address ?? null) : whole(how.address),
      business_name: answered.business,
      email: how.email ?? customer?.email ?? session.customer_email,
      individual_name: answered.individual,
      name: how.name ?? nameOf(how, answered) ?? customer?.name ?? null,
      phone: answered.phone,
      tax_exempt: customer?.tax_exempt ?? 'none',
      tax_ids: taxIds,
    },
    collected_information: {
      business_name: answered.business,
      individual_name: answered.individual,
      shipping_details: answered.shipping,
    },
    consent: answered.consent,
    custom_fields: answered.customFields,
  } as Partial<CheckoutRow>
}
