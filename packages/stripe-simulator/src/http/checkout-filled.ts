import type { Completion } from '../resources/checkout-form.ts'
import { parseForm } from './form.ts'

/** The fields of a page, by their names; a body in JSON has the same, and objects in the place of brackets. */
interface Fields {
  readonly [name: string]: unknown
}

/** What was filled in on a Checkout page. Empty fields were left out before. */
export function completionOf(body: Fields): Completion {
  const fields = nested(body)
  const of = (name: string) => textOf(fields[name])
  const taxId = textsOf(fields.tax_id)
  const { name: recipient = '', ...shipping } = textsOf(fields.shipping) ?? {}
  const customFields = textsOf(fields.custom_fields)
  return {
    card: of('card'),
    authenticate: of('authenticate') === 'fail' ? 'fail' : (of('authenticate') as 'succeed' | undefined),
    email: of('email'),
    name: of('name'),
    address: addressOf(fields),
    promotionCode: of('promotion_code'),
    phone: of('phone'),
    businessName: of('business_name'),
    individualName: of('individual_name'),
    taxId: taxId === undefined ? undefined : { type: taxId.type ?? '', value: taxId.value ?? '' },
    shipping: fields.shipping === undefined ? undefined : { name: recipient, address: shipping },
    customFields,
    termsOfService: of('terms_of_service') === undefined ? undefined : of('terms_of_service') === 'true',
    promotions: of('promotions') === undefined ? undefined : of('promotions') === 'true',
    quantities: numbersOf(fields.quantities),
    optionalItems: numbersOf(fields.optional_items),
  }
}

/** `tax_id[type]` is part of `tax_id`. */
function nested(body: Fields): Fields {
  const flat = Object.entries(body).filter(([, value]) => typeof value === 'string') as [string, string][]
  return { ...body, ...parseForm(new URLSearchParams(flat).toString()) }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function textsOf(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const texts = Object.entries(value).flatMap(([name, inner]) => {
    const text = textOf(inner)
    return text === undefined ? [] : [[name, text] as const]
  })
  return Object.fromEntries(texts)
}

function numbersOf(value: unknown): Record<string, number> | undefined {
  const texts = textsOf(value)
  if (texts === undefined) return undefined
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]))
}

/** The fields of an address that were filled in, if any was. */
function addressOf(fields: Fields): Record<string, string> | undefined {
  const filled = (['country', 'state', 'postal_code', 'city', 'line1'] as const).flatMap((name) => {
    const value = textOf(fields[name])
    return value === undefined ? [] : [[name, value] as const]
  })
  return filled.length === 0 ? undefined : Object.fromEntries(filled)
}
