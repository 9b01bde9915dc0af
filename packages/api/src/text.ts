import { z } from 'zod'

/**
 * Text that a person may have typed. It must not carry a card number: those go to the provider's own
 * pages and never come here, not even into a log.
 */
export function freeText(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => !hasCardNumber(text), {
      error: 'This looks like a card number. Card numbers are given to the payment provider only.',
    })
}

/** Text of one line, without control characters and halves of characters. */
export function plainText(maxLength: number) {
  return freeText(maxLength).regex(/^[^\p{Cc}\p{Cs}]*$/u, 'This has characters that are not text.')
}

/** Ours begin with lockstep_; the other three would mean something else to JavaScript. */
const METADATA_KEY = /^(?!lockstep_|__proto__$|constructor$|prototype$)[A-Za-z0-9_.-]{1,40}$/

/** Small facts of the application's own, kept with an object and never interpreted. */
export const metadata = z
  .record(z.string().regex(METADATA_KEY), freeText(500))
  .refine((entries) => Object.keys(entries).length <= 40, { error: 'At most 40 entries.' })
  .meta({
    description:
      'Small facts of your own. Up to 40 keys of A-Z a-z 0-9 _ . - that do not begin with `lockstep_`; values up to 500 characters.',
    examples: [{ team: 'blue' }],
  })

/**
 * 13 to 19 digits, perhaps grouped by single blanks or dashes, that begin like a payment card (2 to 6;
 * an epoch in milliseconds begins with 1) and whose last digit is their check digit.
 */
export function hasCardNumber(text: string): boolean {
  for (const [run] of text.matchAll(/\d(?:[ -]?\d){12,}/g)) {
    const digits = run.replace(/[ -]/g, '')
    if (digits.length <= 19 && /^[2-6]/.test(digits) && passesLuhn(digits)) return true
  }
  return false
}

function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let fromRight = 0; fromRight < digits.length; fromRight++) {
    const digit = Number(digits[digits.length - 1 - fromRight])
    const doubled = fromRight % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
