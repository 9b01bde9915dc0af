import { retentionHolds } from '@lockstep/core/usage-retention'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { instant } from './instant.ts'
import { cursor, listOf, page } from './pagination.ts'

/** A calendar month of UTC. */
export const usageMonth = z
  .string()
  .regex(/^\d{4}-\d{2}$/)
  .meta({ description: 'A calendar month of UTC.', examples: ['2025-03'] })

const events = z.int()

const expiredMonth = z
  .strictObject({
    month: usageMonth,
    state: z.enum(['expiring', 'expired']).meta({
      description:
        '`expiring`: no event of it is stored or shown any more; its table is still to be dropped.',
    }),
    keptMonths: z.int().meta({ description: 'What the installation kept when it was decided.' }),
    decidedBy: z.string().meta({ description: "The API key's id, or `schedule`." }),
    decidedAt: instant,
    expiredAt: instant.nullable(),
    events: events.nullable().meta({ description: 'How many were dropped.' }),
    lateEvents: events
      .nullable()
      .meta({ description: 'How many came for it afterwards: counted, and not stored.' }),
  })
  .meta({ id: 'ExpiredUsageMonth' })

export const listUsageExpiries = defineRoute({
  id: 'listUsageExpiries',
  method: 'GET',
  path: '/v1/usage-expiries',
  callers: { key: 'operations:read' },
  summary: 'List the months whose raw usage events are no longer kept, newest first',
  tags: ['Usage'],
  query: z.strictObject({ ...page, after: cursor(/^\d{4}-(0[1-9]|1[0-2])$/) }),
  answers: { 200: listOf('ExpiredUsageMonth', expiredMonth) },
})

const hold = z
  .strictObject({
    cause: z.enum(retentionHolds).meta({
      description:
        '`clock`: a test clock stands earlier. `open`: a period that is not final reaches into the month. `recent`: its invoice is final for too short a while. `pending`: something of it is still to be billed. `drift`: the rollups do not hold what the events do.',
    }),
    customers: z.int().meta({ description: 'For how many customers.' }),
    example: z.string().meta({ description: 'One of them.' }),
  })
  .meta({ id: 'UsageRetentionHold' })

export const expireUsage = defineRoute({
  id: 'expireUsage',
  method: 'POST',
  path: '/v1/usage-expiries',
  callers: { key: 'operations:write' },
  summary: 'Drop the raw usage events that need no longer be kept',
  description:
    'A dry run unless told otherwise: says what would become of each month that is older than the installation keeps events (`LOCKSTEP_USAGE_RETENTION_MONTHS`). What counts of a month, and the identities of its events, stay for ever. The same is done every night.',
  tags: ['Usage'],
  body: z
    .strictObject({
      dryRun: z.boolean().default(true).meta({ description: 'Say what would be done, and do nothing.' }),
    })
    .meta({ id: 'UsageExpiryRequest' }),
  answers: {
    200: z
      .strictObject({
        dryRun: z.boolean(),
        keepMonths: z.int().nullable().meta({ description: 'Null: everything is kept.' }),
        months: z
          .array(
            z.strictObject({
              month: usageMonth,
              verdict: z.enum(['expire', 'hold', 'expiring']).meta({
                description: '`expiring`: was decided before, and goes on.',
              }),
              events: events
                .nullable()
                .meta({ description: 'Counted only of months that nothing else holds.' }),
              holds: z.array(hold),
            }),
          )
          .meta({ description: 'Oldest first.' }),
      })
      .meta({ id: 'UsageExpiry' }),
  },
})
