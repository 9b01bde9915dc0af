import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { externalId, id } from './ids.ts'
import { instant } from './instant.ts'
import { currency, money } from './money.ts'
import { recordedProblem } from './problems.ts'

const attention = z.boolean().meta({
  description: 'It waits for a person; others are tried again by the next schedule and mostly go away.',
})

export const syncStatus = z
  .strictObject({
    status: z.enum(['inStep', 'behind', 'failing']).meta({
      description:
        '`inStep`: the provider was told everything. `behind`: something waits for the schedule. `failing`: a sync did not come to its end.',
    }),
    open: z.int().meta({ description: 'Invoices that are not final.' }),
    stale: z.int().meta({ description: 'Of them, those of which the provider does not know everything.' }),
    lagSeconds: z
      .int()
      .meta({ description: 'How long ago the provider was told of the one that waits longest.' }),
    lastSuccess: instant.nullable().meta({ description: 'When a sync last came to its end.' }),
    schedule: z
      .strictObject({
        cron: z.string().meta({
          description: 'In UTC: minute, hour, day, month, day of the week.',
          examples: ['0 * * * *'],
        }),
        nextRun: instant.meta({ description: 'When its next round begins.' }),
        spreadSeconds: z
          .int()
          .meta({ description: 'Each subscription has its turn within so long after a round began.' }),
        lastRun: z
          .strictObject({
            at: instant.meta({ description: 'When it began.' }),
            due: z.int().meta({ description: 'Subscriptions of which something was to be told.' }),
            told: z
              .int()
              .meta({ description: 'Of them, those that were looked at, and the provider was told.' }),
            failed: z.int().meta({
              description:
                'Of them, those whose sync did not come to its end; the next round tries them again.',
            }),
          })
          .nullable()
          .meta({
            description:
              'Its last round; null before the first. What is due and neither told nor failed has its turn still to come, was told on request or is left to the next round.',
          }),
      })
      .meta({ id: 'SyncSchedule', description: 'When what changed is sent without being asked for.' }),
    failing: z.array(z.strictObject({ code: z.string(), subscriptions: z.int(), needsAttention: attention })),
    failures: z.array(
      z
        .strictObject({
          invoice: id('invoice'),
          customer: id('customer'),
          externalId,
          subscription: id('subscription').nullable(),
          problem: recordedProblem,
          needsAttention: attention,
          syncedAt: instant.nullable().meta({ description: 'When the provider was last told of it.' }),
        })
        .meta({ id: 'SyncFailure' }),
    ),
    totals: z
      .array(
        z.strictObject({
          currency,
          standing: money.meta({ description: 'What stands at the provider and is not billed yet.' }),
          sent: money.meta({
            description:
              'What the invoices with lines of ours that became final in the last 35 days come to by what we last sent, less the discounts and with the tax that the provider says. Of a customer on a test clock the last days are its own.',
          }),
          billed: money.meta({ description: 'The totals of these invoices at the provider.' }),
          equal: z.boolean(),
        }),
      )
      .meta({ description: 'By currency, of invoices on which Lockstep rates something.' }),
  })
  .meta({ id: 'SyncStatus', description: 'Whether the provider says what the invoices say.' })

export const readSyncStatus = defineRoute({
  id: 'readSyncStatus',
  method: 'GET',
  path: '/v1/sync-status',
  callers: { key: 'operations:read' },
  summary: 'How the invoices stand against the provider',
  description: 'Nothing is asked of the provider: it is what was last told and heard.',
  tags: ['Invoices'],
  query: z.strictObject({
    limit: z.coerce.number<number | string>().int().min(1).max(100).default(20).meta({
      description: 'How many failures are listed, newest first.',
    }),
  }),
  answers: { 200: syncStatus },
})
