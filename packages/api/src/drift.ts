import { driftEntities } from '@lockstep/core/drift'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { instant } from './instant.ts'

const value = z.union([z.string(), z.number(), z.boolean()]).nullable()

export const drift = z
  .strictObject({
    entity: z.enum(driftEntities).meta({
      description:
        '`plannedChange`: what a schedule of the provider is to make of a subscription. `product`: what is sold, on sale or archived. `price`: what a plan or an add-on is billed by. `history`: what a subscription cost from when to when. `usage`: what is billed from, held against the events.',
    }),
    kind: z.enum(['differs', 'missingThere', 'missingHere']).meta({
      description:
        '`missingThere`: linked here, and the provider has it not. `missingHere`: it has one, and there is no row here.',
    }),
    entityId: z.string().nullable().meta({ description: 'Our id of it; null where we have none.' }),
    providerId: z.string().nullable(),
    differences: z
      .array(z.strictObject({ field: z.string(), here: value, there: value }))
      .meta({ description: 'Field by field: amounts in minor units, times in UTC.' }),
    cause: z
      .enum(['missed', 'changedHere', 'changedThere', 'unknownSide', 'unlinked', 'gone', 'unexplained'])
      .meta({
        description:
          '`missed`: it changed at the provider and nothing told us. `changedHere`: the row was written by other hands. `changedThere`: what we told the provider was changed there. `unknownSide`: it differs, and nothing tells on which side it was changed. `unlinked`: our row lost its link, and one object there alone is its. `gone`: the provider has it no more. `unexplained`: a person has to look.',
      }),
    repair: z.enum(['look', 'tell', 'sync', 'link']).nullable().meta({
      description:
        "What would be done: take over what the provider says, tell it what stands here, send an invoice's lines again, link our row to the object that names it. Null where none is safe.",
    }),
    reason: z.string().meta({ description: 'Why, for a person.' }),
  })
  .meta({ id: 'Drift', description: 'One object that is not on both sides as it should be.' })

const report = {
  checkedAt: instant,
  looked: z.int().meta({ description: "The provider's objects that were held against ours." }),
  underWay: z.int().meta({ description: 'What differs because something is being done about it: no drift.' }),
  drifts: z.array(drift),
}

const tags = ['Operations']

export const findDrift = defineRoute({
  id: 'findDrift',
  method: 'GET',
  path: '/v1/drift',
  callers: { key: 'operations:read' },
  summary: 'Hold everything here against everything at the provider',
  description:
    'Reads all prices, customers, subscriptions and invoices of the provider, which takes as long as the account is large, behind the requests of people. What differs is looked at twice. Changes nothing. The same is done every night.',
  tags,
  answers: { 200: z.strictObject(report).meta({ id: 'DriftReport' }) },
})

export const repairDrift = defineRoute({
  id: 'repairDrift',
  method: 'POST',
  path: '/v1/drift/repairs',
  callers: { key: 'operations:write' },
  summary: 'Repair what can be repaired safely',
  description:
    'A dry run unless told otherwise: says what would be done. No repair charges anybody; what nothing explains is left for a person.',
  tags,
  body: z
    .strictObject({
      dryRun: z.boolean().default(true).meta({ description: 'Say what would be done, and do nothing.' }),
    })
    .meta({ id: 'DriftRepairRequest' }),
  answers: {
    200: z
      .strictObject({
        dryRun: z.boolean(),
        repairs: z.array(
          z.strictObject({
            drift,
            refused: z
              .string()
              .nullable()
              .meta({ description: 'Why it was not done; null where it was, or would be.' }),
          }),
        ),
        left: z.strictObject(report).meta({ description: 'What is left, or would be.' }),
      })
      .meta({ id: 'DriftRepairs' }),
  },
})
