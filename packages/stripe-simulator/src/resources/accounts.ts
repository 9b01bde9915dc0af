import type Stripe from 'stripe'
import { StripeError } from '../errors.ts'
import { get, nothing } from '../http/route.ts'
import type { Shown } from '../shown.ts'

const ID = 'acct_1Simulator000000'

/** The account that the keys belong to. There is one, and it is complete. https://docs.stripe.com/api/accounts */
export const accountRoutes = [
  get('/v1/account', nothing, () => account),
  get('/v1/accounts/:id', nothing, ({ path }) => {
    if (path() !== ID) throw noAccess(path())
    return account
  }),
]

/** Another account's id is refused as at Stripe: whether it exists is not said. */
function noAccess(id: string): StripeError {
  return new StripeError(403, {
    type: 'invalid_request_error',
    code: 'account_invalid',
    message: `The provided key does not have access to account '${id}' (or that account does not exist). Application access may have been revoked.`,
  })
}

const account: Shown<Stripe.Account> = {
  id: ID,
  object: 'account',
  business_profile: {
    annual_revenue: null,
    estimated_worker_count: null,
    mcc: '5734',
    minority_owned_business_designation: null,
    name: 'Simulator',
    product_description: null,
    specified_commercial_transactions_act_url: null,
    support_address: null,
    support_email: null,
    support_phone: null,
    support_url: null,
    url: null,
  },
  business_type: 'company',
  capabilities: { card_payments: 'active', transfers: 'active' },
  charges_enabled: true,
  controller: { type: 'account' },
  country: 'US',
  default_currency: 'usd',
  details_submitted: true,
  email: 'account@example.com',
  payouts_enabled: true,
  settings: {
    bacs_debit_payments: { display_name: null, service_user_number: null },
    branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
    card_payments: {
      decline_on: { avs_failure: false, cvc_failure: false },
      statement_descriptor_prefix: null,
      statement_descriptor_prefix_kana: null,
      statement_descriptor_prefix_kanji: null,
    },
    dashboard: { display_name: 'Simulator', timezone: 'Etc/UTC' },
    invoices: { default_account_tax_ids: null, hosted_payment_method_save: 'offer' },
    payments: {
      statement_descriptor: 'SIMULATOR',
      statement_descriptor_kana: null,
      statement_descriptor_kanji: null,
      statement_descriptor_prefix_kana: null,
      statement_descriptor_prefix_kanji: null,
    },
    sepa_debit_payments: {},
  },
  type: 'standard',
}
