import { z } from 'zod'
import { defineRoute } from './define-route.ts'

const id = z.string()

const missing = z
  .strictObject({
    customer: id,
    externalId: z.string(),
    registration: id.nullable().meta({ description: 'The one that was begun; null where none was.' }),
    reason: z.string().nullable().meta({ description: 'Why none was begun, for a person.' }),
  })
  .meta({ id: 'CustomerWithoutSubscription' })

export const sweepSignUps = defineRoute({
  id: 'sweepSignUps',
  method: 'POST',
  path: '/v1/sign-up-sweeps',
  callers: { key: 'operations:write' },
  summary: 'Look for customers who never got the plan for signing up',
  description:
    'A customer of an hour or older whom nobody ever registered. A dry run unless told otherwise: names up to a thousand of them. Otherwise each is registered on the plan that the catalogue has for signing up, if it has one. The same is done every hour.',
  tags: ['Operations'],
  body: z
    .strictObject({
      dryRun: z.boolean().default(true).meta({ description: 'Say who they are, and do nothing.' }),
    })
    .meta({ id: 'SignUpSweepRequest' }),
  answers: {
    200: z
      .strictObject({
        dryRun: z.boolean(),
        plan: z.string().nullable().meta({ description: 'For signing up; null: the catalogue has none.' }),
        customers: z.array(missing),
      })
      .meta({ id: 'SignUpSweep' }),
  },
})
