import { z } from 'zod'
import { customerFields } from './customers.ts'
import { defineRoute } from './define-route.ts'
import { externalId, id, idParam, key } from './ids.ts'
import { instant } from './instant.ts'
import { currency } from './money.ts'
import { listOf, page } from './pagination.ts'
import { recordedProblem } from './problems.ts'
import { metadata } from './text.ts'

export const registrationState = z
  .enum(['running', 'completed', 'compensating', 'rolledBack', 'parked'])
  .meta({
    id: 'RegistrationState',
    description:
      '`running`: on its way, or waiting to be tried again. `compensating`: refused, and being undone. `rolledBack`: refused, and undone but for the customer. `parked`: a person has to look.',
  })

const step = z
  .strictObject({
    name: z.string().meta({ examples: ['create customer at provider'] }),
    state: z.enum(['done', 'undone']),
    endedAt: instant,
  })
  .meta({ id: 'RegistrationStep' })

export const registration = z
  .strictObject({
    id: id('registration'),
    customer: id('customer'),
    externalId,
    plan: key.meta({ description: "The plan's key." }),
    planVersion: z.int().min(1),
    slot: key,
    subscription: id('subscription').meta({
      description: 'Reserved at once; readable when the registration is completed.',
    }),
    state: registrationState,
    stage: z.string().nullable().meta({ description: 'The step that runs, failed, or was last finished.' }),
    steps: z.array(step).meta({ description: 'What is recorded so far, in order.' }),
    problem: recordedProblem.nullable().meta({ description: 'Why it failed, or why it is tried again.' }),
    createdAt: instant,
    endedAt: instant.nullable(),
  })
  .meta({
    id: 'Registration',
    description: 'The confirmation of a contract, from request to running subscription.',
  })

const newRegistration = z
  .strictObject({
    ...customerFields,
    plan: key.meta({ description: 'The key of a plan in the catalogue.' }),
    quantity: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1)
      .meta({ description: 'Of the recurring prices: seats, for example.' }),
    currency: currency
      .optional()
      .meta({ description: "Must be the plan's, if given: a second look at what was agreed." }),
    paymentMethod: z
      .string()
      .max(100)
      .regex(/^[A-Za-z][A-Za-z0-9_]*$/, "Give a payment method's id at the provider, never a card number.")
      .optional()
      .meta({
        description: "A payment method's id at the provider. Never a card number.",
        examples: ['pm_card_visa'],
      }),
    slot: key
      .default('default')
      .meta({ description: 'Which of the customer’s places for one live subscription.' }),
    metadata: metadata.optional(),
  })
  .meta({ id: 'NewRegistration' })

const params = z.strictObject({ id: idParam('registration') })
const tags = ['Registrations']

export const createRegistration = defineRoute({
  id: 'createRegistration',
  method: 'POST',
  path: '/v1/registrations',
  scope: 'subscriptions:write',
  summary: 'Register a customer on a plan',
  description:
    'Records the customer, creates it at the provider, links both, and starts the subscription, in recorded steps. A crash resumes after the last one; a refusal undoes what can be undone and says at which step. A known `externalId` is registered again, not created again.',
  tags,
  body: newRegistration,
  answers: {
    201: registration.meta({ description: 'The subscription runs.' }),
    202: registration.meta({ description: 'Still on its way: read it again, or wait for it.' }),
  },
  problems: [
    'plan_unknown',
    'plan_not_allowed',
    'plan_not_published',
    'currency_mismatch',
    'subscription_exists',
    'meter_billed_already',
    'registration_in_progress',
    'card_declined',
    'payment_action_required',
    'provider_refused',
  ],
})

export const readRegistration = defineRoute({
  id: 'readRegistration',
  method: 'GET',
  path: '/v1/registrations/:id',
  scope: 'subscriptions:read',
  summary: 'How far a registration came',
  tags,
  params,
  answers: { 200: registration },
  problems: ['registration_not_found'],
})

export const listRegistrations = defineRoute({
  id: 'listRegistrations',
  method: 'GET',
  path: '/v1/registrations',
  scope: 'subscriptions:read',
  summary: 'List registrations, newest first',
  tags,
  query: z.strictObject({
    customer: idParam('customer').optional(),
    state: registrationState.optional(),
    plan: key.optional(),
    ...page,
  }),
  answers: { 200: listOf('Registration', registration) },
})

export const resumeRegistration = defineRoute({
  id: 'resumeRegistration',
  method: 'POST',
  path: '/v1/registrations/:id/resume',
  scope: 'subscriptions:write',
  summary: 'Go on with a registration that stopped',
  description: 'Goes on after the last recorded step. A completed one is answered as it is.',
  tags,
  params,
  answers: { 200: registration, 202: registration },
  problems: ['registration_not_found'],
})
