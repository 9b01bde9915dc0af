import { invalid } from '../errors.ts'
import type { CheckoutRow, CustomerRow } from '../rows.ts'
import { taxIdTypes } from '../rules/tax-id-types.ts'
import { checkTaxId } from '../rules/tax-ids.ts'
import { whole } from '../rules/whole-address.ts'
import type { World } from '../world.ts'

/** What a person says on the page of what it asks for. */
export interface Answers {
  readonly phone?: string | undefined
  readonly businessName?: string | undefined
  readonly individualName?: string | undefined
  readonly taxId?: { readonly type: string; readonly value: string } | undefined
  readonly shipping?: { readonly name: string; readonly address: Address } | undefined
  /** By the key of the field. */
  readonly customFields?: Readonly<Record<string, string>> | undefined
  readonly termsOfService?: boolean | undefined
  readonly promotions?: boolean | undefined
}

type Address = Readonly<Record<string, string>>
type Shipping = NonNullable<NonNullable<CheckoutRow['collected_information']>['shipping_details']>

/** The same, held against what is asked for. */
export interface Answered {
  readonly phone: string | null
  readonly business: string | null
  readonly individual: string | null
  readonly taxId: { readonly type: string; readonly value: string } | null
  readonly shipping: Shipping | null
  readonly customFields: CheckoutRow['custom_fields']
  readonly consent: CheckoutRow['consent']
}

/** Nobody pays before everything is said that must be, and nobody says what is not asked. */
export function answersOf(world: World, session: CheckoutRow, given: Answers): Answered {
  const customer = world.customers.get(session.customer)
  const taxId = taxIdOf(world, session, given, customer)
  const { business, individual } = session.name_collection ?? {}
  // "Checkout displays fields for them to enter the tax ID and legal entity name for the business."
  const names = {
    business: business ?? (taxId === null ? undefined : { enabled: true, optional: false }),
    individual,
  }
  return {
    phone: phoneOf(session, given.phone ?? customer?.phone ?? undefined, given.phone !== undefined),
    business: nameOf(names.business, given.businessName, 'business_name'),
    individual: nameOf(names.individual, given.individualName, 'individual_name'),
    taxId,
    shipping: shippingOf(session, given.shipping),
    customFields: fieldsOf(session.custom_fields, given.customFields ?? {}),
    consent: consentOf(session.consent_collection, given),
  }
}

function missing(what: string, param: string): Error {
  return invalid(`${what} is required.`, param, 'parameter_missing')
}

function unasked(what: string, param: string): Error {
  return invalid(`This page does not ask for ${what}.`, param)
}

/** A required field, in the form of E.164. https://docs.stripe.com/payments/checkout/phone-numbers */
function phoneOf(session: CheckoutRow, phone: string | undefined, said: boolean): string | null {
  if (session.phone_number_collection?.enabled !== true) {
    if (said) throw unasked('a phone number', 'phone')
    return null
  }
  if (phone === undefined) throw missing('A phone number', 'phone')
  const plain = phone.replaceAll(/[\s().-]/g, '')
  if (!/^\+[1-9]\d{4,14}$/.test(plain)) throw invalid(`Invalid phone number: ${phone}`, 'phone')
  return plain
}

function nameOf(
  asked: { enabled: boolean; optional: boolean } | undefined,
  name: string | undefined,
  param: string,
): string | null {
  if (asked?.enabled !== true) {
    if (name !== undefined) throw unasked('this name', param)
    return null
  }
  if (name === undefined && !asked.optional) throw missing('A name', param)
  return name ?? null
}

/**
 * "If a customer has one or more tax IDs saved, Checkout doesn't display the tax ID collection form even if tax ID
 * collection is enabled." https://docs.stripe.com/tax/checkout/tax-ids
 */
function taxIdOf(world: World, session: CheckoutRow, given: Answers, customer: CustomerRow | undefined) {
  const { taxId } = given
  if (!asksForTaxId(world, session)) {
    if (taxId !== undefined) throw unasked('a tax ID', 'tax_id')
    return null
  }
  if (taxId === undefined) {
    const country = given.shipping?.address.country ?? customer?.address?.country
    const required = session.tax_id_collection?.required === 'if_supported' && isSupported(country)
    if (required) throw missing('A tax ID', 'tax_id')
    return null
  }
  if (!taxIdTypes.includes(taxId.type)) throw invalid(`Invalid tax ID type: ${taxId.type}`, 'tax_id[type]')
  checkTaxId(taxId.type, taxId.value, 'tax_id[value]')
  return { type: taxId.type, value: taxId.value }
}

export function asksForTaxId(world: World, { tax_id_collection: asked, customer }: CheckoutRow): boolean {
  return (
    asked?.enabled === true && (customer === null || world.taxIds.count('customer', customer as string) === 0)
  )
}

/** "Customers paying from a country where tax ID collection is supported": where a type of tax id is known of. */
function isSupported(country: string | null | undefined): boolean {
  if (country == null) return true
  const own = `${country.toLowerCase()}_`
  return EUROPEAN.includes(country) || taxIdTypes.some((type) => type.startsWith(own))
}

/** Members of the European Union, whose numbers are all `eu_vat`. */
const EUROPEAN = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'

function shippingOf(session: CheckoutRow, given: Answers['shipping']): Shipping | null {
  const asked = session.shipping_address_collection
  if (asked === null) {
    if (given !== undefined) throw unasked('where to ship to', 'shipping')
    return null
  }
  if (given === undefined) throw missing('A shipping address', 'shipping')
  const { name, address } = given
  if (!name) throw missing('A name', 'shipping[name]')
  for (const part of ['line1', 'country'] as const) {
    if (!address[part]) throw missing('A shipping address', `shipping[${part}]`)
  }
  if (!asked.allowed_countries.includes(address.country as 'US')) {
    throw invalid(`Nothing is shipped to ${address.country}.`, 'shipping[country]')
  }
  return { name, address: whole(address) as Shipping['address'] }
}

function fieldsOf(
  fields: CheckoutRow['custom_fields'],
  given: Readonly<Record<string, string>>,
): CheckoutRow['custom_fields'] {
  const stranger = Object.keys(given).find((key) => !fields.some((field) => field.key === key))
  if (stranger !== undefined) throw unasked(stranger, 'custom_fields')
  return fields.map((field) => {
    const type = field.type as 'dropdown' | 'numeric' | 'text'
    const param = `custom_fields[${field.key}]`
    const asked = field[type]
    const value = given[field.key] ?? asked?.default_value ?? null
    if (value === null) {
      if (!field.optional) throw missing(`${field.label.custom}`, param)
      return field
    }
    refuseWrong(field, value, param)
    return { ...field, [type]: { ...asked, value } }
  })
}

/** "Support for up to 255 characters on text fields", "containing only digits", one of the options. */
function refuseWrong(field: CheckoutRow['custom_fields'][number], value: string, param: string): void {
  const { dropdown, numeric, text } = field
  const isWrong =
    dropdown === undefined
      ? value.length > (numeric?.maximum_length ?? text?.maximum_length ?? 255) ||
        value.length < (numeric?.minimum_length ?? text?.minimum_length ?? 0) ||
        (numeric !== undefined && !/^\d*$/.test(value))
      : !dropdown.options.some((option) => option.value === value)
  if (isWrong) throw invalid(`Invalid value of ${field.label.custom}: ${value}`, param)
}

/** Null where neither is asked, as recorded. https://docs.stripe.com/payments/checkout/promotional-emails-consent */
function consentOf(asked: CheckoutRow['consent_collection'], given: Answers): CheckoutRow['consent'] {
  const promotions = asked?.promotions === 'auto'
  const terms = asked?.terms_of_service === 'required'
  if (given.promotions === true && !promotions) throw unasked('promotional e-mails', 'promotions')
  if (terms && given.termsOfService !== true) {
    throw invalid('The terms of service must be accepted.', 'terms_of_service')
  }
  if (!promotions && !terms) return null
  return {
    promotions: promotions ? (given.promotions === true ? 'opt_in' : 'opt_out') : null,
    terms_of_service: terms ? 'accepted' : null,
  }
}
