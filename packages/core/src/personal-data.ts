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

/**
 * An object of the provider's, of one customer, without what says who that is: such fields are null at
 * every depth, also among what changed before (`previous_attributes`), and of metadata ours is left. All
 * else stays, for the record.
 */
export function withoutPersonalData(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPersonalData)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      PERSONAL.has(name) ? null : name === 'metadata' ? onlyOurs(inner) : withoutPersonalData(inner),
    ]),
  )
}

function onlyOurs(metadata: unknown): unknown {
  if (typeof metadata !== 'object' || metadata === null) return metadata
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key.startsWith(OURS)))
}
