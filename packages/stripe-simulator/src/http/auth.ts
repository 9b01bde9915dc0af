import { StripeError } from '../errors.ts'

/** Takes the key from a bearer header or, like curl's `-u key:`, from the user name of basic authentication. */
export function authenticate(header: string | undefined, allowed: readonly string[] | undefined): void {
  const key = keyIn(header)
  if (key === undefined || key === '') {
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
    )
  }
  const known = allowed === undefined ? /^(sk|rk)_test_/.test(key) : allowed.includes(key)
  if (!known && key.startsWith('pk_')) throw publishable()
  if (!known) throw unauthorized(`Invalid API Key provided: ${masked(key)}`)
}

function keyIn(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  if (header.startsWith('Bearer ')) return header.slice('Bearer '.length)
  const [scheme, value = ''] = header.split(' ', 2)
  if (scheme?.toLowerCase() === 'bearer') return value
  if (scheme?.toLowerCase() === 'basic') return Buffer.from(value, 'base64').toString().split(':')[0]
  return undefined
}

function masked(key: string): string {
  return key.length <= 12
    ? '*'.repeat(key.length)
    : `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}`
}

/**
 * Stripe.js, which works with such keys, talks to Stripe alone. The code: docs.stripe.com/error-codes; text and
 * status as client libraries saw them (github.com/getlago/lago-api/pull/3650, a `PermissionError`, that is 403).
 */
function publishable(): StripeError {
  return new StripeError(403, {
    type: 'invalid_request_error',
    code: 'secret_key_required',
    message:
      'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.',
  })
}

function unauthorized(message: string): StripeError {
  return new StripeError(401, { type: 'invalid_request_error', message })
}
