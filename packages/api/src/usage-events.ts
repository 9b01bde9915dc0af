import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { flag } from './pagination.ts'

/** How many events one request may carry. */
export const MAX_EVENTS_PER_REQUEST = 1000

const conflict = z
  .strictObject({
    index: z.int().meta({ description: 'Where it stood in the request, from 0.' }),
    source: z.string(),
    id: z.string(),
  })
  .meta({
    id: 'UsageConflict',
    description: 'An event whose identity is known with another content. The first one stands.',
  })

export const sendUsageEvents = defineRoute({
  id: 'sendUsageEvents',
  method: 'POST',
  path: '/v1/usage-events',
  callers: { key: 'usage:write' },
  summary: 'Send usage: one event, or up to 1000',
  description:
    'CloudEvents 1.0 in JSON, structured (`application/cloudevents+json`), batched (`application/cloudevents-batch+json`) or in binary mode (`ce-` headers, the body is the data); as `application/json` one or a list of them, or the plain form with `id`, `meter`, `externalId`, `quantity`, `time`. `type` is a meter’s key, `subject` the customer’s `externalId`, `data.quantity` a decimal text or a whole number. `source` and `id` together are the identity of an event, for ever: sending it again is counted as a duplicate and changes nothing, so after a failure simply send the same again. A batch with an invalid event is refused whole, every fault named by its index.',
  tags: ['Usage'],
  consumes: ['application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json'],
  query: z.strictObject({
    dryRun: flag.default(false).meta({ description: 'Only say what would become of the events.' }),
  }),
  // Loose on purpose: core's parseUsageEvent names every fault of every event by its pointer, once.
  body: z.unknown().meta({
    description: 'One event, or a list of 1 to 1000; in binary mode the data of one.',
    examples: [
      {
        specversion: '1.0',
        source: 'cluster-eu',
        id: 'job-81274',
        type: 'compute_seconds',
        subject: 'user_4711',
        time: '2026-01-31T09:30:00Z',
        data: { quantity: '12.5' },
      },
      {
        id: 'job-81274',
        meter: 'compute_seconds',
        externalId: 'user_4711',
        quantity: '12.5',
        time: '2026-01-31T09:30:00Z',
      },
    ],
  }),
  answers: {
    200: z
      .strictObject({
        accepted: z.int().meta({ description: 'Events that are new. They are stored.' }),
        duplicates: z.int().meta({ description: 'Events that were here before, with the same content.' }),
        conflicts: z.array(conflict),
      })
      .meta({ id: 'UsageReceipt' }),
  },
  problems: ['usage_event_invalid', 'batch_too_large', 'overloaded'],
  idempotent: false,
  bodyLimit: 5 * 1024 * 1024,
})
