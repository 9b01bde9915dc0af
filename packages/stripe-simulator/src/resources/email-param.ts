import { invalid } from '../errors.ts'
import { type Kind, text } from '../http/schema.ts'

/**
 * An e-mail address: one @, nothing blank, and a domain that has a dot. Stripe's rule is not written down; these are the
 * ones that it is seen to refuse. https://docs.stripe.com/error-codes#email-invalid
 */
export function email(maxLength?: number): Kind<string> {
  const address = text(maxLength)
  return { parse: (raw, path) => checkedEmail(address.parse(raw, path), path) }
}

/** The same of what a customer fills in on a page. */
export function checkedEmail(given: string, param: string): string {
  if (/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(given)) return given
  throw invalid(`Invalid email address: ${given}`, param, 'email_invalid')
}
