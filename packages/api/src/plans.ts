import { audiences } from '@lockstep/core/plan'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { expand, expanded } from './expand.ts'
import { grant } from './grants.ts'
import { key } from './ids.ts'
import { instant } from './instant.ts'
import { currency } from './money.ts'
import { listOf, page } from './pagination.ts'
import { price } from './prices.ts'
import { givenName } from './text.ts'

export const audience = z.enum(audiences).meta({
  description:
    '`public`: for anybody. `admin`: given by us. `legacy`: kept by those who have it, no longer sold.',
})

export const interval = z.enum(['day', 'week', 'month', 'year'])

export const plan = z
  .strictObject({
    key,
    version: z
      .int()
      .min(1)
      .meta({ description: 'A plan that is sold never changes: a change makes a new version.' }),
    name: z.string(),
    audience,
    product: key.meta({ description: "The product's key." }),
    currency,
    interval,
    intervalCount: z.int().min(1),
    usageInterval: interval.nullable().meta({
      description: 'How often usage is billed, more often than the fees; null where it is billed with them.',
    }),
    usageIntervalCount: z.int().min(1).nullable(),
    trialDays: z.int().min(0),
    trialUsage: z
      .enum(['free', 'billed'])
      .meta({ description: 'Whether usage during the trial is charged.' }),
    rollsInto: key.nullable().meta({ description: 'The plan that takes over from this one.' }),
    purchase: key.meta({ description: 'How it is bought: the key of a purchase strategy.' }),
    payments: z.int().nullable().meta({
      description: 'A fixed number of payments, one each period; null for as many as there are periods.',
    }),
    prices: z.array(price),
    grants: z.array(grant).meta({ description: 'What is to be had on it, by feature.' }),
    createdAt: instant,
    ...expanded,
  })
  .meta({ id: 'Plan', description: 'A named bundle of prices and features.' })

const tags = ['Catalogue']

export const listPlans = defineRoute({
  id: 'listPlans',
  method: 'GET',
  path: '/v1/plans',
  callers: { key: 'catalog:read', user: 'public catalogue' },
  summary: 'List plans by key, the newest version of each',
  description:
    'A page of prices asks with `audience=public`: what is given by the operator, or no longer sold, is not in the answer. Users get nothing else.',
  tags,
  query: z.strictObject({
    audience: audience.optional(),
    product: key.optional().meta({ description: 'Those of this product.' }),
    currency: currency.optional(),
    interval: interval.optional().meta({ description: 'How often it is paid.' }),
    expand,
    ...page,
  }),
  answers: { 200: listOf('Plan', plan) },
})

export const readPlan = defineRoute({
  id: 'readPlan',
  method: 'GET',
  path: '/v1/plans/:key',
  callers: { key: 'catalog:read', user: 'public catalogue' },
  summary: 'One plan, newest version',
  tags,
  params: z.strictObject({ key: givenName(100).meta({ description: "The plan's key." }) }),
  query: z.strictObject({ expand }),
  answers: { 200: plan },
  problems: ['plan_not_found'],
})
