import { shownAdjustable } from '../resources/checkout-quantities.ts'
import type { CheckoutRow } from '../rows.ts'
import { taxIdTypes } from '../rules/tax-id-types.ts'
import { escaped, optionsOf } from './html.ts'

/** What was filled in before, by the names of the fields. */
export type Filled = Readonly<Record<string, string | undefined>>

interface Input {
  readonly type?: 'checkbox' | 'email' | 'number' | 'tel' | 'text'
  readonly optional?: boolean
  readonly maxLength?: number
  /** What stands there before anything is filled in. */
  readonly value?: string
  readonly more?: string
}

export function inputOf(label: string, name: string, filled: Filled, input: Input = {}): string {
  const { type = 'text', optional = false, maxLength, value = '', more = '' } = input
  const length = maxLength === undefined ? '' : ` maxlength="${maxLength}"`
  const required = optional ? '' : ' required'
  const shown = escaped(filled[name] ?? value)
  return `<label>${escaped(label)} <input name="${escaped(name)}" type="${type}"${required}${length}${more} value="${shown}"></label>`
}

function tick(label: string, name: string, filled: Filled, required: boolean): string {
  const checked = filled[name] === 'true' ? ' checked' : ''
  return `<label>${escaped(label)} <input name="${name}" type="checkbox" value="true"${required ? ' required' : ''}${checked}></label>`
}

/** A text of the business's own. */
export function note(text: { readonly message: string } | null): string {
  return text === null ? '' : `<p class="quiet">${escaped(text.message)}</p>`
}

interface Words {
  readonly nameOf: (price: string) => string
  /** What one costs, and how often. */
  readonly costOf: (price: string) => string
}

/** How many of each item, where that may be chosen, and what may be added. */
export function chosen({ own }: CheckoutRow, filled: Filled, { nameOf, costOf }: Words): string {
  const { line_items: lines = [], optional_items: optional = [] } = own.params
  const number = (label: string, name: string, min: number, max: number, value: number) =>
    inputOf(label, name, filled, {
      type: 'number',
      more: ` min="${min}" max="${max}" step="1"`,
      value: String(value),
    })
  const adjustable = lines.flatMap((line) => {
    const limits = shownAdjustable(line.adjustable_quantity)
    if (limits?.enabled !== true) return []
    const label = `Quantity of ${nameOf(line.price)}`
    return [number(label, `quantities[${line.id}]`, limits.minimum, limits.maximum, line.quantity ?? 1)]
  })
  const offered = optional.map(({ price, quantity, adjustable_quantity: given }) => {
    const most = given?.enabled === true ? (shownAdjustable(given)?.maximum ?? quantity) : quantity
    return number(`Add ${nameOf(price)}, ${costOf(price)}`, `optional_items[${price}]`, 0, most, 0)
  })
  return [...adjustable, ...offered].join('')
}

/** The questions of a page beside e-mail, card and billing address. */
export function askedFor(session: CheckoutRow, filled: Filled, taxId: boolean): string {
  const { name_collection: names, shipping_address_collection: ships, consent_collection: consent } = session
  const texts = session.custom_text
  const required = session.tax_id_collection?.required === 'if_supported'
  const optional = { optional: true }
  const parts = [
    session.phone_number_collection?.enabled === true
      ? inputOf('Phone number', 'phone', filled, { type: 'tel' })
      : '',
    names?.individual?.enabled === true
      ? inputOf('Full name', 'individual_name', filled, { optional: names.individual.optional })
      : '',
    names?.business?.enabled === true || taxId
      ? inputOf('Business name', 'business_name', filled, {
          optional: !(names?.business?.optional === false || (taxId && required)),
        })
      : '',
    taxId
      ? `<label>Type of tax ID <select name="tax_id[type]"><option value=""></option>${optionsOf(
          taxIdTypes.map((type) => [type, type]),
          filled['tax_id[type]'],
        )}</select></label>${inputOf('Tax ID', 'tax_id[value]', filled, { optional: !required })}`
      : '',
    ships === null
      ? ''
      : note(texts.shipping_address) +
        inputOf('Recipient', 'shipping[name]', filled) +
        `<label>Shipping country <select name="shipping[country]">${optionsOf(
          ships.allowed_countries.map((country) => [country, country]),
          filled['shipping[country]'],
        )}</select></label>` +
        inputOf('Shipping address', 'shipping[line1]', filled) +
        inputOf('Shipping city', 'shipping[city]', filled, optional) +
        inputOf('Shipping state', 'shipping[state]', filled, optional) +
        inputOf('Shipping postal code', 'shipping[postal_code]', filled, optional),
    ...session.custom_fields.map((field) => customField(field, filled)),
    consent?.promotions === 'auto' ? tick('Send me offers by e-mail', 'promotions', filled, false) : '',
    consent?.terms_of_service === 'required'
      ? tick(
          texts.terms_of_service_acceptance?.message ?? 'I agree to the terms of service',
          'terms_of_service',
          filled,
          true,
        )
      : '',
  ]
  return parts.join('')
}

function customField(field: CheckoutRow['custom_fields'][number], filled: Filled): string {
  const { key, label, dropdown, optional, numeric, text } = field
  const name = `custom_fields[${key}]`
  const title = label.custom ?? key
  if (dropdown !== undefined) {
    const options = dropdown.options.map(({ label: shown, value }) => [value, shown] as const)
    const picked = filled[name] ?? dropdown.default_value ?? undefined
    const empty = optional ? '<option value=""></option>' : ''
    return `<label>${escaped(title)} <select name="${escaped(name)}">${empty}${optionsOf(options, picked)}</select></label>`
  }
  const limits = numeric ?? text
  return inputOf(title, name, filled, {
    optional,
    value: limits?.default_value ?? '',
    maxLength: limits?.maximum_length ?? 255,
    more: numeric === undefined ? '' : ' inputmode="numeric"',
  })
}
