import { planRollStates } from '@lockstep/core/plan-roll'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant } from './instant.ts'
import { money } from './money.ts'
import { listOf, page } from './pagination.ts'
import { givenName } from './text.ts'

const state = z.enum(planRollStates).meta({
  description:
    '`planned`: recorded, and nothing is done by itself. `superseded`: a newer price came; they are to go on to that.',
})

const version = z.strictObject({
  version: z.int().min(1),
  amount: money.meta({ description: 'What one of it costs a period, before discounts and tax.' }),
})

const planRoll = z
  .strictObject({
    id: id('plan_roll'),
    plan: key,
    from: version,
    to: version,
    subscriptions: z.int().min(0).meta({ description: 'Live ones that are on the old version now.' }),
    state,
    plannedAt: instant,
  })
  .meta({
    id: 'PlanRoll',
    description:
      'Everybody who is on one version of a plan is to go on to another, for its price is another.',
  })

const tags = ['Catalogue']

export const listPlanRolls = defineRoute({
  id: 'listPlanRolls',
  method: 'GET',
  path: '/v1/plan-rolls',
  callers: { key: 'subscriptions:read' },
  summary: 'List planned rolls, newest first',
  description:
    'A plan that came in from the provider gets another price there: whoever subscribed before is to go on to it. It is recorded; nobody is moved and nothing is charged by it.',
  tags,
  query: z.strictObject({
    plan: givenName(100).optional().meta({ description: "The plan's key." }),
    state: state.optional(),
    ...page,
  }),
  answers: { 200: listOf('PlanRoll', planRoll) },
})

export const readPlanRoll = defineRoute({
  id: 'readPlanRoll',
  method: 'GET',
  path: '/v1/plan-rolls/:id',
  callers: { key: 'subscriptions:read' },
  summary: 'One planned roll',
  tags,
  params: z.strictObject({ id: idParam('plan_roll') }),
  answers: { 200: planRoll },
  problems: ['plan_roll_not_found'],
})
