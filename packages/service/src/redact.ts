import { hasCardNumber } from '@lockstep/api/text'

const SECRETS = /\b(sk|rk|pk)_(test|live)_\w+|\bwhsec_[\w+/=-]+|\blk_[\w-]{8,}|\bBearer\s+[^\s"\\]+/gi
const PASSWORD_IN_URL = /(\b\w+:\/\/[^\s:/@"]*):[^\s@"]+@/g
const EMAIL = /[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+/g
const DIGITS = /\d(?:[ -]?\d){12,18}/g

/**
 * A line of the log without what must not stand in one: keys, signing secrets, passwords in addresses,
 * e-mail addresses, and whatever looks like a card number. The line stays valid JSON.
 */
export function redact(line: string): string {
  return line
    .replace(SECRETS, (secret) => `${/^(?:[a-z]+_(?:test_|live_)?|Bearer)/i.exec(secret)?.[0]}[redacted]`)
    .replace(PASSWORD_IN_URL, '$1:[redacted]@')
    .replace(EMAIL, '[email]')
    .replace(DIGITS, (digits, offset: number) => {
      if (!hasCardNumber(digits)) return digits
      // A bare JSON number must stay a number.
      const bare = /[:,[]/.test(line.charAt(offset - 1)) && /[\d]/.test(digits)
      return bare ? '0' : '[card]'
    })
}
