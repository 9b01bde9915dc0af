import { hideCardNumbers } from '@lockstep/core/card-number'

const SECRETS =
  /\b(sk|rk|pk)_(test|live)_\w+|\bwhsec_[\w+/=-]+|\blk_[\w-]{8,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bBearer\s+[^\s"\\]+/gi
/** Pages of Stripe's that whoever has the address may pay on, or read a bill: their path is the permission. */
const HOSTED_PAGE =
  /(https:\/\/(?!(?:api|docs|dashboard|support)\.)[\w-]+\.stripe\.com|https:\/\/[^\s/"\\]+(?=\/(?:c|g)\/pay\/))\/[^\s"\\]+/g
const PASSWORD_IN_URL = /(\b\w+:\/\/[^\s:/@"]*):[^\s@"]+@/g
const EMAIL = /[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+/g
const BARE_FRACTION = /(?<=[:,[])(-?\d+\.\d+(?:e[+-]?\d+)?)(?=[,\]}])/i
const BARE_NUMBER = /(?<=[:,[])\d{13,19}(?=[,\]}])/g

/**
 * A line of the log without what must not stand in one: keys, tokens, signing secrets, passwords in addresses,
 * hosted pages, e-mail addresses, and whatever looks like a card number. The line stays valid JSON.
 */
export function redact(line: string): string {
  const text = line
    .replace(SECRETS, (secret) => `${/^(?:[a-z]+_(?:test_|live_)?|Bearer|eyJ)/i.exec(secret)?.[0]}[redacted]`)
    .replace(HOSTED_PAGE, '$1/[redacted]')
    .replace(PASSWORD_IN_URL, '$1:[redacted]@')
    .replace(EMAIL, '[email]')
    // A bare JSON number must stay a number.
    .replace(BARE_NUMBER, (digits) => hideCardNumbers(digits, '0'))
  // Nor is a measured time a card, whose digits may be any.
  return text
    .split(BARE_FRACTION)
    .map((part, index) => (index % 2 === 1 ? part : hideCardNumbers(part)))
    .join('')
}
