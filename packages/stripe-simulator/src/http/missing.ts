import { gap, invalid, StripeError } from '../errors.ts'

/** What older versions had and the newest client does not call any more. */
const FORMER = [
  /^\/v1\/invoices\/upcoming/,
  /^\/v1\/subscription_items\/[^/]+\/usage_record/,
  /^\/v1\/customers\/[^/]+\/(subscriptions|cards|bank_accounts)/,
  /^\/v1\/(orders|skus|recipients|bitcoin)/,
]

/** The answer to an address that no route serves. A typing error is a 404 as at Stripe. */
export function unserved(method: string, path: string): StripeError {
  const { body } = FORMER.some((address) => address.test(path))
    ? gap(`${method} ${path}`)
    : invalid(
        `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
      )
  return new StripeError(404, body)
}
