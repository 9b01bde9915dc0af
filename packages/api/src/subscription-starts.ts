import { z } from 'zod'
import { newAddons } from './attached-addons.ts'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant } from './instant.ts'
import { money } from './money.ts'
import { previewInvoice, terms } from './plan-changes.ts'
import { newRegistration, registration, registrationProblems } from './registrations.ts'
import { subscription } from './subscriptions.ts'

const tags = ['Subscriptions']

const answers = {
  201: subscription.meta({ description: 'It runs.' }),
  202: registration.meta({
    description: 'Still on its way, or the customer has something to do first: see `state`.',
  }),
}

export const createSubscription = defineRoute({
  id: 'createSubscription',
  method: 'POST',
  path: '/v1/subscriptions',
  callers: { key: 'subscriptions:admin' },
  summary: 'Give a customer a subscription',
  description:
    'A registration by whoever administers: the same path, the same contract, and plans that customers cannot choose ' +
    'may be given. Everything that is wrong with the request is told at once.',
  tags,
  body: newRegistration,
  answers,
  problems: registrationProblems,
})

const reactivation = z
  .strictObject({
    plan: key.optional().meta({ description: 'The plan that ended, unless given.' }),
    quantity: newRegistration.shape.quantity.unwrap().optional().meta({
      description: 'As it was, unless given.',
    }),
    addons: newAddons.optional().meta({ description: 'As they were, unless given; an empty list is none.' }),
    trial: newRegistration.shape.trial,
    paymentMethod: newRegistration.shape.paymentMethod,
    paymentPage: newRegistration.shape.paymentPage,
  })
  .meta({ id: 'Reactivation' })

export const previewReactivation = defineRoute({
  id: 'previewReactivation',
  method: 'POST',
  path: '/v1/subscriptions/:id/reactivate/preview',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'What beginning anew would come to',
  description:
    "The provider's own computation of the invoice that it begins with. Nothing is made, and what would be refused is refused.",
  tags,
  params: z.strictObject({ id: idParam('subscription') }),
  body: reactivation,
  idempotent: false,
  answers: {
    200: z
      .strictObject({
        subscription: id('subscription').meta({ description: 'The one that is over.' }),
        to: terms,
        trialEndsAt: instant.nullable().meta({ description: 'Of a trial; null where there is none.' }),
        dueNow: previewInvoice.nullable().meta({
          description: 'The invoice that it begins with, collected at once; null of a trial.',
        }),
        recurring: money.meta({ description: 'Of one period, before discounts and tax.' }),
        token: z.string().meta({ description: 'Send it with the reactivation, and exactly this begins.' }),
        expiresAt: instant.meta({ description: 'By the customer’s own time.' }),
      })
      .meta({ id: 'ReactivationPreview' }),
  },
  problems: ['subscription_not_found', 'subscription_live', ...registrationProblems],
})

export const reactivateSubscription = defineRoute({
  id: 'reactivateSubscription',
  method: 'POST',
  path: '/v1/subscriptions/:id/reactivate',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'Begin anew what is over',
  description:
    'A new subscription of the same customer in the same place, on the plan as it is sold today, with a contract of ' +
    'its own. The old one stays over. One that has not ended is resumed instead. With the token of a preview, what was shown begins, or 409 `preview_stale` ' +
    'carries a new one.',
  tags,
  params: z.strictObject({ id: idParam('subscription') }),
  body: reactivation
    .extend({
      preview: z
        .string()
        .max(4000)
        .optional()
        .meta({ description: 'The token of a preview of just this: begun exactly as shown, or not at all.' }),
    })
    .meta({ id: 'ConfirmedReactivation' }),
  answers,
  problems: ['subscription_not_found', 'subscription_live', 'preview_stale', ...registrationProblems],
})
