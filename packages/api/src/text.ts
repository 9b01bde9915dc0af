import { hasCardNumber } from '@lockstep/core/card-number'
import { z } from 'zod'

/**
 * Text that a person may have typed. It must not carry a card number: those go to the provider's own
 * pages and never come here, not even into a log.
 */
export function freeText(maxLength: number) {
  return textOf(/^[^\0\p{Cs}]*$/u, maxLength)
}

/** The same of one line. */
export function plainText(maxLength: number) {
  return textOf(ONE_LINE, maxLength)
}

function textOf(pattern: RegExp, maxLength: number) {
  return z.string().max(maxLength).regex(pattern, NOT_TEXT).refine(withoutCardNumber, refuseCardNumber)
}

const NOT_TEXT = 'This has characters that are not text.'

/** Of one line, without control characters and halves of characters: Postgres takes neither NUL nor those. */
export const ONE_LINE = /^[^\p{Cc}\p{Cs}]*$/u

/** A name that somebody else gave: of one line, and never read. It may look like anything, a card's number too. */
export function givenName(maxLength: number) {
  return z.string().min(1).max(maxLength).regex(ONE_LINE, NOT_TEXT)
}

export const withoutCardNumber = (text: string): boolean => !hasCardNumber(text)

export const refuseCardNumber = {
  error:
    'This looks like a card number. Card numbers are given to the payment provider only: on its hosted page, or as a payment method such as pm_….',
  params: { code: 'card_number_refused' },
}

/** Ours begin with lockstep_; the other three would mean something else to JavaScript. */
const METADATA_KEY = /^(?!lockstep_|__proto__$|constructor$|prototype$)[A-Za-z0-9_.-]{1,40}$/

/** Small facts of the application's own, kept with an object and never interpreted. */
export const metadata = z
  .record(z.string().regex(METADATA_KEY).refine(withoutCardNumber, refuseCardNumber), freeText(500))
  .refine((entries) => Object.keys(entries).length <= 40, { error: 'At most 40 entries.' })
  .meta({
    description:
      'Small facts of your own. Up to 40 keys of A-Z a-z 0-9 _ . - that do not begin with `lockstep_`; values up to 500 characters.',
    examples: [{ team: 'blue' }],
  })
