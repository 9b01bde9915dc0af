import { gap, invalid, StripeError } from '../errors.ts'

/** Parts of Stripe that are known and not simulated. Asking for one names it; a typing error is a 404 as at Stripe. */
const NOT_SIMULATED = [
  '/v1/account',
  '/v1/accounts',
  '/v1/balance',
  '/v1/billing',
  '/v1/disputes',
  '/v1/entitlements',
  '/v1/files',
  '/v1/payment_links',
  '/v1/payouts',
  '/v1/quotes',
  '/v1/sources',
  '/v1/tax',
  '/v1/tax_codes',
  '/v1/tax_ids',
  '/v1/tokens',
  '/v2',
]

/** The answer to an address that no route serves. */
export function unserved(method: string, path: string): StripeError {
  const known =
    NOT_SIMULATED.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)) ||
    /^\/v1\/[a-z_]+\/search$/.test(path) ||
    /^\/v1\/customers\/[^/]+\/(tax_ids|sources|cash_balance|discount)/.test(path) ||
    /^\/v1\/subscriptions\/[^/]+\/discount/.test(path) ||
    /^\/v1\/invoices\/[^/]+\/(add_lines|remove_lines|update_lines|attach_payment|detach_payment|lines\/)/.test(
      path,
    )
  const { body } = known
    ? gap(`${method} ${path}`)
    : invalid(
        `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
      )
  return new StripeError(404, body)
}
