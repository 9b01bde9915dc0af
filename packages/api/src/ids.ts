import { z } from 'zod'
import { givenName } from './text.ts'

/** The nouns that have ids of ours; an id begins with its noun. */
type Noun =
  | 'customer'
  | 'registration'
  | 'subscription'
  | 'contract'
  | 'invoice'
  | 'adjustment'
  | 'price_override'
  | 'usage_correction'
  | 'spend_limit'
  | 'spend_alert'
  | 'refund'
  | 'dispute'
  | 'credit_note'
  | 'line'
  | 'plan_version'
  | 'plan_change'
  | 'plan_roll'
  | 'price'
  | 'test_clock'
  | 'api_key'
  | 'bus_message'
  | 'webhook_endpoint'
  | 'event'
  | 'delivery'
  | 'import'

/**
 * An id of ours, as an answer carries it: the noun and a ULID in lower case, so that it sorts by the
 * time it was made and is never mistaken for the provider's.
 */
export function id(noun: Noun) {
  return z
    .string()
    .regex(new RegExp(`^${noun}_[0-9a-hjkmnp-tv-z]{26}$`))
    .meta({
      description: `Our id of the ${noun.replace('_', ' ')}.`,
      examples: [`${noun}_01j8kq2v7m5x9c3r6t0w4y8z1b`],
    })
}

/**
 * An id that a caller names. Any short text will do: an id that has another shape is one that does
 * not exist, and is answered like one.
 */
export function idParam(noun: string) {
  return givenName(100).meta({ description: `Our id of the ${noun}.` })
}

/** A name given in the catalogue, or to a slot. Part of URLs, metadata and code, hence so plain. */
export const key = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'Use a to z, 0 to 9, - and _, at most 63 of them.')
  .meta({ description: 'A key: a to z, 0 to 9, `-` and `_`.', examples: ['cloud-host'] })

/** Names a line of an invoice: a price's key, with its group's behind it where it has one, or an adjustment's id. */
export const lineKey = z.string().regex(/^[\w.-]+$/)

/** The application's own id of a user. */
export const externalId = givenName(200).meta({
  description: "The application's own id of the user who pays.",
  examples: ['user_4711'],
})

/** An id at the provider. Shown, never interpreted. */
export const providerId = z
  .string()
  .meta({ description: "The provider's id.", examples: ['cus_QXg1o8vlGyF4Hs'] })
