import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { instant } from './instant.ts'

const missed = z
  .strictObject({
    id: z.string().meta({ description: "The provider's id of the event." }),
    type: z.string().meta({ examples: ['invoice.paid'] }),
    created: instant,
    undelivered: z.boolean().meta({ description: 'The provider still tries to deliver it, or gave up.' }),
  })
  .meta({ id: 'MissedEvent' })

export const sweepEvents = defineRoute({
  id: 'sweepEvents',
  method: 'POST',
  path: '/v1/event-sweeps',
  callers: { key: 'operations:write' },
  summary: 'Read what no webhook brought from the provider',
  description:
    "Reads the provider's own list of events since the last sweep into the inbox, each once, and the objects made since. A dry run unless told otherwise: says what was missed. Where the last sweep is longer ago than the provider keeps its events (30 days), every object is read instead. The same is done every hour, and when a process starts after an outage.",
  tags: ['Operations'],
  body: z
    .strictObject({
      dryRun: z.boolean().default(true).meta({ description: 'Say what was missed, and take nothing in.' }),
    })
    .meta({ id: 'EventSweepRequest' }),
  answers: {
    200: z
      .strictObject({
        dryRun: z.boolean(),
        from: instant.meta({ description: 'Events and objects made since then are looked at.' }),
        readsEverything: z
          .boolean()
          .meta({ description: 'Events of that time are no longer kept: every object is read.' }),
        read: z.int().meta({ description: 'Events that the provider listed.' }),
        missed: z
          .int()
          .meta({ description: 'Of these, those of a kind that is acted on and that were not here.' }),
        events: z.array(missed).meta({ description: 'The newest hundred of those missed.' }),
        unstorable: z
          .array(z.strictObject({ id: z.string(), reason: z.string() }))
          .meta({ description: 'Of those missed, what cannot be stored, and why: nothing comes of it.' }),
        objects: z
          .strictObject({
            failed: z.int().meta({ description: 'What could not be written down; the log has the reason.' }),
            looked: z.int().meta({ description: 'Objects that the provider listed.' }),
            changed: z.int().meta({ description: 'Of these, those that were not here as they are there.' }),
          })
          .nullable()
          .meta({ description: 'Null of a dry run.' }),
        stalled: z.int().meta({
          description:
            'Customers with a subscription whose period is over and of whose next one nobody told.',
        }),
      })
      .meta({ id: 'EventSweep' }),
  },
})
