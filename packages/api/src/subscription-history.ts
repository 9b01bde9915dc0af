import { historyCauses } from '@lockstep/core/subscription-history'
import { z } from 'zod'
import { attachedAddon } from './attached-addons.ts'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant } from './instant.ts'
import { money } from './money.ts'
import { cursor, listOf, page } from './pagination.ts'
import { access, collection, subscriptionStatus } from './subscription-words.ts'

export const historyCause = z.enum(historyCauses).meta({
  id: 'HistoryCause',
  description: 'Who or what made the subscription so. `provider`: it was done there, and not by us.',
})

export const stretch = z
  .strictObject({
    subscription: id('subscription'),
    startsAt: instant,
    endsAt: instant.nullable().meta({ description: 'Belongs to the next stretch; null on the last one.' }),
    status: subscriptionStatus,
    access,
    plan: key,
    planVersion: z.int().min(1),
    quantity: z.int(),
    addons: z.array(attachedAddon),
    fee: money.meta({
      description:
        'What one interval of the plan and its add-ons costs, before discounts and tax; usage is not in it.',
    }),
    collection,
    cancelAt: instant.nullable(),
    cancelAtPeriodEnd: z.boolean(),
    cause: historyCause,
    actor: z.string().nullable().meta({ description: 'Who asked for it, if it was asked of us.' }),
    reason: z.string().nullable().meta({ description: 'Why, in the words of who asked.' }),
    recordedAt: instant.meta({ description: 'When we learned of it; not before it began.' }),
  })
  .meta({ id: 'SubscriptionStretch', description: 'How a subscription stood, from when to when.' })

export const readSubscriptionHistory = defineRoute({
  id: 'readSubscriptionHistory',
  method: 'GET',
  path: '/v1/subscriptions/:id/history',
  callers: { key: 'subscriptions:read', user: 'own subscription' },
  summary: 'How a subscription stood at any time, newest first',
  description:
    'Half-open stretches without gaps: each begins where the one before it ends, and the last has no end. A change ' +
    'of status, plan version, quantity, add-ons, collection or planned end begins a new one. One of no length held for less ' +
    'than a second.',
  tags: ['Subscriptions'],
  params: z.strictObject({ id: idParam('subscription') }),
  query: z.strictObject({ ...page, after: cursor(/^\d{1,9}$/) }),
  answers: { 200: listOf('SubscriptionStretch', stretch) },
  problems: ['subscription_not_found'],
})
