import { z } from 'zod'
import { newAddons } from './attached-addons.ts'
import { defineRoute } from './define-route.ts'
import { idParam, key } from './ids.ts'
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

export const reactivateSubscription = defineRoute({
  id: 'reactivateSubscription',
  method: 'POST',
  path: '/v1/subscriptions/:id/reactivate',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'Begin anew what is over',
  description:
    'A new subscription of the same customer in the same place, on the plan as it is sold today, with a contract of ' +
    'its own. The old one stays over. One that has not ended is resumed instead.',
  tags,
  params: z.strictObject({ id: idParam('subscription') }),
  body: z
    .strictObject({
      plan: key.optional().meta({ description: 'The plan that ended, unless given.' }),
      quantity: newRegistration.shape.quantity.unwrap().optional().meta({
        description: 'As it was, unless given.',
      }),
      addons: newAddons
        .optional()
        .meta({ description: 'As they were, unless given; an empty list is none.' }),
      trial: newRegistration.shape.trial,
      paymentMethod: newRegistration.shape.paymentMethod,
      paymentPage: newRegistration.shape.paymentPage,
    })
    .meta({ id: 'Reactivation' }),
  answers,
  problems: ['subscription_not_found', 'subscription_live', ...registrationProblems],
})
