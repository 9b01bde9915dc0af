/**
 * Fields of Stripe's objects that say who somebody is or where, by which account they pay, or what somebody wrote to them:
 * all of that kind that the declarations of its library name. What books need stays: amounts, ids, dates, countries, banks.
 * https://docs.stripe.com/api
 */
const PERSONAL: ReadonlySet<string> = new Set([
  'account_holder_address',
  'account_holder_name',
  'account_number',
  'account_number_last4',
  'address',
  'address_city',
  'address_line1',
  'address_line2',
  'address_state',
  'address_zip',
  'billing_address',
  'billing_details',
  'billing_zip',
  'business_name',
  'buyer_address',
  'buyer_id',
  'cardholder_name',
  'cashtag',
  'client_reference_id',
  'comment',
  'custom_fields',
  'customer_address',
  'customer_details',
  'customer_email',
  'customer_name',
  'customer_phone',
  'customer_reference',
  'customer_shipping',
  'customer_tax_ids',
  'dob',
  'dynamic_last4',
  'email',
  'email_sent_to',
  'evidence',
  'fingerprint',
  'first_name',
  'footer',
  'header',
  'iban',
  'iban_last4',
  'individual_name',
  'instructions_email',
  'ip',
  'ip_address',
  'ip_address_location',
  'last4',
  'last_name',
  'memo',
  'name',
  'pay_id',
  'payer_details',
  'payer_email',
  'payer_id',
  'payer_name',
  'phone',
  'receipt_email',
  'refund_account_holder_address_city',
  'refund_account_holder_address_country',
  'refund_account_holder_address_line1',
  'refund_account_holder_address_line2',
  'refund_account_holder_address_postal_code',
  'refund_account_holder_address_state',
  'refund_account_holder_name',
  'refund_iban',
  'registered_address',
  'registered_name',
  'registration_number',
  'sender_name',
  'shipping',
  'shipping_address',
  'shipping_address_zip',
  'shipping_details',
  'shipping_first_name',
  'shipping_last_name',
  'suffix',
  'tax_id',
  'to_postal_code',
  'tracking_number',
  'user_agent',
  'vat',
  'verified_address',
  'verified_email',
  'verified_name',
  'verified_phone',
  'verified_phone_last4',
  'vpa',
])

/** Fields that say it in objects of one kind only. */
const PERSONAL_OF: Readonly<Record<string, ReadonlySet<string>>> = {
  customer_cash_balance_transaction: new Set(['reference']),
  tax_id: new Set(['value']),
}

/** Whose `description` says what is sold or billed. Everywhere else it is somebody's own words, of a person or to one. */
const DESCRIBES_GOODS: ReadonlySet<string> = new Set([
  'coupon',
  'credit_note_line_item',
  'invoiceitem',
  'item',
  'line_item',
  'plan',
  'price',
  'product',
  'shipping_rate',
  'tax_rate',
])

/** Metadata is the application's own words, which may say anything; only ours say what an object is for. */
const OURS = 'lockstep_'

/** Names of addresses: of a page or a document that shows who the customer is to whoever has its address, too. */
const LINK = /(?:^|_)(?:url|pdf)$/

/**
 * An object of the provider's, of one customer, without what says who that is: such fields are null at
 * every depth, also among what changed before (`previous_attributes`), and so are links to pages that say it; of
 * metadata ours is left, and of descriptions those of what is sold or billed. All else stays, for the record.
 */
export function withoutPersonalData(value: unknown): unknown {
  return within(value, undefined)
}

/** `of`: the object that this is a part of, or was before; none where it is not known what it is. */
function within(value: unknown, of: Fields | undefined): unknown {
  if (Array.isArray(value)) return value.map((one) => within(one, of))
  if (!isObject(value)) return value
  const own = typeof value.object === 'string' ? value : of
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (PERSONAL.has(name) || (own && isPersonalOf(own, name))) return [name, null]
      if (LINK.test(name) && typeof inner === 'string' && /^https?:/.test(inner)) return [name, null]
      if (name === 'metadata') return [name, onlyOurs(inner)]
      // Beside it stands the object that it tells of.
      const changed = name === 'previous_attributes' && isObject(value.object) ? value.object : own
      return [name, within(inner, changed)]
    }),
  )
}

type Fields = Readonly<Record<string, unknown>>

function isPersonalOf({ object: kind, metadata }: Fields, name: string): boolean {
  if (typeof kind !== 'string') return false
  if (name !== 'description') return PERSONAL_OF[kind]?.has(name) === true
  if (!DESCRIBES_GOODS.has(kind)) return true
  // Items that wait to be billed are written by hand too: https://docs.stripe.com/api/invoiceitems.
  return kind === 'invoiceitem' && Object.keys(onlyOurs(metadata) ?? {}).length === 0
}

function onlyOurs(metadata: unknown): unknown {
  if (!isObject(metadata)) return metadata
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key.startsWith(OURS)))
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
