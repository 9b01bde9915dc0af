import { parseInstant } from '@lockstep/core/instant'
import { z } from 'zod'

/** A moment, as an answer carries it: whole seconds of UTC. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .meta({
    description: 'A moment in UTC, to the second.',
    format: 'date-time',
    examples: ['2026-01-31T09:30:00Z'],
  })

/** A moment, as a caller writes it: RFC 3339 with any offset. Fractions of a second are dropped. */
export const instantInput = z.iso
  .datetime({
    offset: true,
    error: 'Write an RFC 3339 moment with its offset, such as 2026-01-31T09:30:00Z.',
    abort: true,
  })
  // What is read later must be what was let in here.
  .refine((text) => parseInstant(text) !== undefined, 'There is no such moment.')
  .meta({
    description: 'An RFC 3339 moment. Fractions of a second are dropped.',
    examples: ['2026-01-31T09:30:00Z'],
  })

/** A stretch of time: the second of `end` belongs to the next one. */
export const period = z
  .strictObject({ start: instant, end: instant })
  .meta({ id: 'Period', description: 'A half-open stretch of time: `end` belongs to the next period.' })
