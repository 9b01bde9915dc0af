/** Fields of Stripe's objects that say who somebody is or where: https://docs.stripe.com/api. */
const PERSONAL: ReadonlySet<string> = new Set([
  'address',
  'billing_address',
  'billing_details',
  'business_name',
  'customer_address',
  'customer_details',
  'customer_email',
  'customer_email_address',
  'customer_name',
  'customer_phone',
  'customer_purchase_ip',
  'customer_shipping',
  'customer_tax_ids',
  'email',
  'fingerprint',
  'individual_name',
  'ip',
  'ip_address',
  'last4',
  'name',
  'phone',
  'receipt_email',
  'shipping',
  'shipping_address',
  'user_agent',
])

/** Metadata is the application's own words, which may say anything; only ours say what an object is for. */
const OURS = 'lockstep_'

/** Names of addresses: of a page or a document that shows who the customer is to whoever has its address, too. */
const LINK = /(?:^|_)(?:url|pdf)$/

/**
 * An object of the provider's, of one customer, without what says who that is: such fields are null at
 * every depth, also among what changed before (`previous_attributes`), and so are links to pages that say it; of
 * metadata ours is left, and of descriptions those of what is ours. All else stays, for the record.
 */
export function withoutPersonalData(value: unknown): unknown {
  return within(value, false)
}

/** `isDescribed`: what is looked at is a part of an object whose description is somebody's own words. */
function within(value: unknown, isDescribed: boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => within(one, false))
  if (typeof value !== 'object' || value === null) return value
  const fields = value as Readonly<Record<string, unknown>>
  const describes = isDescribed || isDescribedByHand(fields)
  return Object.fromEntries(
    Object.entries(fields).map(([name, inner]) => {
      if (PERSONAL.has(name) || (describes && name === 'description')) return [name, null]
      if (LINK.test(name) && typeof inner === 'string' && /^https?:/.test(inner)) return [name, null]
      if (name === 'metadata') return [name, onlyOurs(inner)]
      return [name, within(inner, name === 'previous_attributes' && isDescribedByHand(fields.object))]
    }),
  )
}

/** Whether its `description` is what somebody wrote, of a person or to one: https://docs.stripe.com/api/invoiceitems. */
function isDescribedByHand(object: unknown): boolean {
  if (typeof object !== 'object' || object === null) return false
  const { object: kind, metadata } = object as { readonly object?: unknown; readonly metadata?: unknown }
  return kind === 'customer' || (kind === 'invoiceitem' && Object.keys(onlyOurs(metadata) ?? {}).length === 0)
}

function onlyOurs(metadata: unknown): unknown {
  if (typeof metadata !== 'object' || metadata === null) return metadata
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key.startsWith(OURS)))
}
