import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { providerId } from './ids.ts'
import { instant } from './instant.ts'
import { cursor, listOf, page } from './pagination.ts'

const type = z.enum(['customer', 'subscription', 'checkout_session', 'invoice'])
const operation = z
  .string()
  .nullable()
  .meta({ description: 'The call of ours that the object says it came of.' })
const whose = {
  customer: z
    .string()
    .nullable()
    .meta({ description: 'Whose it is, by our id; null where nobody here is known for it.' }),
  externalId: z.string().nullable().meta({ description: 'The same by the id in your system.' }),
  providerCustomer: z
    .string()
    .nullable()
    .meta({ description: 'Whose it is at the provider; null of a page without a customer.' }),
}
const reason = z.string().meta({ description: 'Why, for a person.' })

const state = z.enum(['waiting', 'parked', 'adopted', 'removed', 'left']).meta({
  description:
    '`waiting`: a workflow is at work on it. `parked`: a person has to decide. `adopted`: linked to our row. `removed`: taken back; nobody had paid. `left`: over.',
})

export const orphan = z
  .strictObject({
    ...{ type, providerId, operation, ...whose, state, reason },
    madeAt: instant.nullable().meta({
      description:
        'Since when it is at the provider; null of one that was found before this was kept and is settled.',
    }),
    ...{ foundAt: instant, judgedAt: instant },
  })
  .meta({
    id: 'Orphan',
    description: 'An object at the provider that carries our name and that no row of ours pointed to.',
  })

export const listOrphans = defineRoute({
  id: 'listOrphans',
  method: 'GET',
  path: '/v1/orphans',
  callers: { key: 'operations:read' },
  summary: 'List what sweeps found at the provider without a row here, newest first',
  tags: ['Operations'],
  query: z.strictObject({ state: state.optional(), ...page, after: cursor(/^\d{1,12}\..+$/) }),
  answers: { 200: listOf('Orphan', orphan) },
})

const found = z
  .strictObject({
    type,
    providerId,
    operation,
    ...whose,
    madeAt: instant.meta({ description: 'Since when it is at the provider.' }),
    verdict: z.enum(['adopt', 'remove', 'wait', 'leave', 'park']).meta({
      description:
        '`adopt`: our row is linked to it. `remove`: it is taken back. `wait`, `leave`: nothing. `park`: a person has to decide.',
    }),
    reason,
  })
  .meta({ id: 'FoundOrphan' })

export const sweepOrphans = defineRoute({
  id: 'sweepOrphans',
  method: 'POST',
  path: '/v1/orphan-sweeps',
  callers: { key: 'operations:write' },
  summary: 'Look for objects at the provider that no row points to',
  description:
    'Looks at everything that carries our name and was made since the last sweep. A dry run unless told otherwise: says what would become of each. Only what was never charged and was undone here is ever removed; objects of other installations are not touched. The same is done every night.',
  tags: ['Operations'],
  body: z
    .strictObject({
      dryRun: z.boolean().default(true).meta({ description: 'Say what would be done, and do nothing.' }),
    })
    .meta({ id: 'OrphanSweepRequest' }),
  answers: {
    200: z
      .strictObject({
        dryRun: z.boolean(),
        looked: z.int().meta({ description: 'Objects with our name that were looked at.' }),
        orphans: z.array(found),
      })
      .meta({ id: 'OrphanSweep' }),
  },
})
