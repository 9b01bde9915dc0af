import { invalid } from '../errors.ts'
import { bool, clearable, integer, list, oneOf, type Params, required, shape, text } from '../http/schema.ts'
import type { CheckoutRow } from '../rows.ts'
import { shippingCountries } from '../rules/page-words.ts'

const nameField = shape({ enabled: required(bool), optional: bool })
const message = clearable(shape({ message: required(text(1200)) }))
const typed = shape({ default_value: text(255), maximum_length: length(1), minimum_length: length(0) })

function length(min: number) {
  return integer({ min, max: 255 })
}

const customField = shape({
  key: required(text(200)),
  label: required(shape({ type: required(oneOf(['custom'] as const)), custom: required(text(50)) })),
  type: required(oneOf(['dropdown', 'numeric', 'text'] as const)),
  optional: bool,
  dropdown: shape({
    default_value: text(100),
    options: required(list(shape({ label: required(text(100)), value: required(text(100)) }), 200)),
  }),
  numeric: typed,
  text: typed,
})

/** What a page asks its visitor for beside the card. */
export const asksFields = {
  consent_collection: shape({
    payment_method_reuse_agreement: shape({ position: required(oneOf(['auto', 'hidden'] as const)) }),
    promotions: oneOf(['auto', 'none'] as const),
    terms_of_service: oneOf(['none', 'required'] as const),
  }),
  custom_fields: list(customField, 3),
  custom_text: shape({
    after_submit: message,
    shipping_address: message,
    submit: message,
    terms_of_service_acceptance: message,
  }),
  name_collection: shape({ business: nameField, individual: nameField }),
  phone_number_collection: shape({ enabled: required(bool) }),
  saved_payment_method_options: shape({
    allow_redisplay_filters: list(oneOf(['always', 'limited', 'unspecified'] as const)),
    payment_method_remove: oneOf(['disabled', 'enabled'] as const),
    payment_method_save: oneOf(['disabled', 'enabled'] as const),
  }),
  shipping_address_collection: shape({ allowed_countries: required(list(oneOf(shippingCountries))) }),
  tax_id_collection: shape({
    enabled: required(bool),
    required: oneOf(['if_supported', 'never'] as const),
  }),
}

type Asks = Params<typeof asksFields> & {
  readonly mode: 'payment' | 'setup' | 'subscription'
  readonly customer?: string | undefined
  readonly customer_update?: { name?: string | undefined; shipping?: string | undefined } | undefined
  readonly automatic_tax?: { enabled: boolean } | undefined
}

/** "Can only be set in payment and subscription mode", of each of these in the declarations or their guides. */
const NOT_IN_SETUP = [
  'custom_fields',
  'name_collection',
  'phone_number_collection',
  'saved_payment_method_options',
  'shipping_address_collection',
  'tax_id_collection',
] as const

/** What is asked for and does not fit together. The first three messages as recorded of Stripe. */
export function checkAsks(params: Asks): void {
  const { mode, customer, customer_update: update, tax_id_collection: taxId } = params
  if (update !== undefined && customer === undefined) {
    throw invalid('`customer_update` can only be used with `customer` or `customer_account`.')
  }
  if (taxId?.enabled === true && customer !== undefined && update?.name !== 'auto') {
    throw invalid(
      'Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing customer, please set `customer_update[name]` to `auto`.',
    )
  }
  const ships = params.shipping_address_collection !== undefined
  if (
    ships &&
    customer !== undefined &&
    params.automatic_tax?.enabled === true &&
    update?.shipping !== 'auto'
  ) {
    throw invalid(
      'You specified `shipping_address_collection`. To use `automatic_tax` with this parameter, you must also set `customer_update[shipping]` to `auto`.',
      undefined,
      'parameter_missing',
    )
  }
  if (update?.shipping === 'auto' && !ships) {
    throw invalid(
      'You can only set `customer_update[shipping]` to `auto` together with `shipping_address_collection`.',
      'customer_update[shipping]',
    )
  }
  const wrong = mode === 'setup' ? NOT_IN_SETUP.find((name) => params[name] !== undefined) : undefined
  if (wrong !== undefined) throw invalid(`You can not pass \`${wrong}\` in \`setup\` mode.`, wrong)
  checkCustomFields(params.custom_fields ?? [])
}

/** "Alphanumeric", "unique to this field", "must match a value in the options array". */
function checkCustomFields(fields: NonNullable<Asks['custom_fields']>): void {
  const keys = new Set<string>()
  for (const [i, { key, type, ...field }] of fields.entries()) {
    const at = `custom_fields[${i}]`
    if (!/^[a-zA-Z0-9]+$/.test(key)) {
      throw invalid(`The \`key\` of a custom field must be alphanumeric: ${key}.`, `${at}[key]`)
    }
    if (keys.has(key)) throw invalid(`Two custom fields have the \`key\` ${key}.`, `${at}[key]`)
    keys.add(key)
    const other = (['dropdown', 'numeric', 'text'] as const).find(
      (name) => name !== type && field[name] !== undefined,
    )
    if (other !== undefined) {
      throw invalid(`A custom field of type \`${type}\` has no \`${other}\`.`, `${at}[${other}]`)
    }
    if (type !== 'dropdown') continue
    const { dropdown } = field
    if (dropdown === undefined) {
      throw invalid(`Missing required param: ${at}[dropdown].`, `${at}[dropdown]`, 'parameter_missing')
    }
    const chosen = dropdown.default_value
    if (chosen !== undefined && !dropdown.options.some(({ value }) => value === chosen)) {
      throw invalid('`default_value` must be the `value` of an option.', `${at}[dropdown][default_value]`)
    }
  }
}

/** What the session shows of it while the page is open; as recorded where nothing is asked for. */
export function shownAsks(params: Asks, isGuest: boolean): Partial<CheckoutRow> {
  const { consent_collection: consent, custom_text: texts, tax_id_collection: taxId } = params
  const { name_collection: names } = params
  return {
    consent_collection:
      consent === undefined
        ? null
        : {
            payment_method_reuse_agreement: consent.payment_method_reuse_agreement ?? null,
            promotions: consent.promotions ?? null,
            terms_of_service: consent.terms_of_service ?? null,
          },
    custom_fields: (params.custom_fields ?? []).map(shownField),
    custom_text: {
      after_submit: texts?.after_submit ?? null,
      shipping_address: texts?.shipping_address ?? null,
      submit: texts?.submit ?? null,
      terms_of_service_acceptance: texts?.terms_of_service_acceptance ?? null,
    },
    phone_number_collection: { enabled: params.phone_number_collection?.enabled ?? false },
    saved_payment_method_options: savedOptions(params, isGuest),
    shipping_address_collection: params.shipping_address_collection ?? null,
    ...(taxId === undefined
      ? {}
      : { tax_id_collection: { enabled: taxId.enabled, required: taxId.required ?? 'never' } }),
    ...(names === undefined
      ? {}
      : {
          name_collection: {
            ...(names.business === undefined ? {} : { business: shownName(names.business) }),
            ...(names.individual === undefined ? {} : { individual: shownName(names.individual) }),
          },
        }),
  }
}

function shownName({ enabled, optional }: { enabled: boolean; optional?: boolean | undefined }) {
  return { enabled, optional: optional ?? false }
}

function shownField({
  key,
  label,
  optional = false,
  type,
  ...of
}: NonNullable<Asks['custom_fields']>[number]): CheckoutRow['custom_fields'][number] {
  const { default_value: value = null, ...rest } = of[type] ?? {}
  const shown =
    type === 'dropdown'
      ? { default_value: value, options: of.dropdown?.options ?? [], value: null }
      : { default_value: value, maximum_length: null, minimum_length: null, ...rest, value: null }
  return { key, label, optional, type, [type]: shown }
}

/** None of a guest and none in a set-up; else as recorded. */
function savedOptions(
  { mode, saved_payment_method_options: given }: Asks,
  isGuest: boolean,
): CheckoutRow['saved_payment_method_options'] {
  if (mode === 'setup' || (isGuest && given === undefined)) return null
  return {
    allow_redisplay_filters: given?.allow_redisplay_filters ?? ['always'],
    payment_method_remove: given?.payment_method_remove ?? 'disabled',
    payment_method_save: given?.payment_method_save ?? null,
  }
}
