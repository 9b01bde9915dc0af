import type { ProblemCode } from '@lockstep/core/problem'
import { z } from 'zod'
import { newAddons } from './attached-addons.ts'
import { customerFields } from './customers.ts'
import { defineRoute } from './define-route.ts'
import { externalId, id, idParam, key } from './ids.ts'
import { instant } from './instant.ts'
import { currency, decimalAmount } from './money.ts'
import { listOf, page } from './pagination.ts'
import { interval } from './plans.ts'
import { recordedProblem } from './problems.ts'
import { freeText, metadata, ONE_LINE, plainText, refuseCardNumber, withoutCardNumber } from './text.ts'

export const registrationState = z
  .enum(['running', 'requiresAction', 'failed', 'completed', 'compensating', 'rolledBack', 'parked'])
  .meta({
    id: 'RegistrationState',
    description:
      '`running`: on its way. `requiresAction`: the customer has to do what `action` says. `failed`: the step named by `stage` failed for a reason that passes, and is tried again. `compensating`: refused, and being undone. `rolledBack`: refused, and undone but for what `remains`. `parked`: a person has to look.',
  })

const step = z
  .strictObject({
    name: z.string().meta({ examples: ['create customer at provider'] }),
    state: z.enum(['done', 'undone', 'running', 'waiting', 'failed']).meta({
      description: '`waiting`: for the customer. `failed`: the last try of it, see `problem`.',
    }),
    needs: z.array(z.string()).readonly().meta({ description: 'What earlier steps must have handed on.' }),
    handsOn: z.array(z.string()).readonly().meta({ description: 'What later steps may need of it.' }),
    startedAt: instant.nullable(),
    endedAt: instant.nullable().meta({ description: 'Null until it is done.' }),
  })
  .meta({ id: 'RegistrationStep' })

const webAddress = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .regex(ONE_LINE)
  .refine(withoutCardNumber, refuseCardNumber)

export const action = z
  .strictObject({
    type: z.enum(['providePaymentMethod', 'confirmPayment']),
    url: z.url().meta({ description: 'Where to send the customer.' }),
    expiresAt: instant.meta({ description: 'Not done by then, all of it is undone.' }),
  })
  .meta({ id: 'RequiredAction' })

const purchase = key.meta({
  description:
    'How the plan is bought: a `membership` renews until somebody ends it, a `course` has a fixed number of payments, an `event_ticket` is paid once.',
  examples: ['membership'],
})

const cause = z
  .enum(['declined', 'authentication', 'abandoned', 'canceled', 'refused'])
  .meta({ description: 'Why it came to nothing, to be counted.' })

export const requestOrigin = plainText(500).meta({
  description:
    'Where the request came from, in your words; kept here and with the subscription at the provider.',
  examples: ['web/pricing'],
})

const tax = z
  .strictObject({
    provider: z.enum(['none', 'stripe', 'avalara']),
    status: z.enum(['none', 'automatic', 'assessed', 'unavailable']).meta({
      description:
        '`automatic`: Stripe computes it on each invoice. `unavailable`: nobody could be asked, and it went on untaxed.',
    }),
    metadata: z.record(z.string(), z.string()).meta({ description: 'What the tax provider said.' }),
  })
  .meta({ id: 'RegistrationTax' })

export const registration = z
  .strictObject({
    id: id('registration'),
    customer: id('customer'),
    externalId,
    plan: key.meta({ description: "The plan's key." }),
    planVersion: z.int().min(1),
    purchase,
    requestOrigin: requestOrigin.nullable(),
    slot: key,
    subscription: id('subscription').nullable().meta({
      description:
        'Reserved at once; readable when the registration is completed. Null where none comes of it.',
    }),
    state: registrationState,
    stage: z.string().nullable().meta({ description: 'The step that runs, failed, or was last finished.' }),
    steps: z.array(step).meta({ description: 'What is recorded so far, in order.' }),
    action: action.nullable().meta({ description: 'What the customer has to do now.' }),
    problem: recordedProblem.nullable().meta({ description: 'Why it failed, or why it is tried again.' }),
    cause: cause.nullable(),
    tax: tax.nullable().meta({ description: 'What is known about the tax; null where nobody asks for it.' }),
    remains: z.array(z.string()).meta({
      description: 'Of one that came to nothing: what was made and stays, a base to come back to.',
      examples: [['user', 'providerCustomer', 'customer']],
    }),
    nextAttemptAt: instant.nullable().meta({
      description: 'Of one that failed, or of which a step could not be undone yet: when it is tried again.',
    }),
    createdAt: instant,
    endedAt: instant.nullable(),
  })
  .meta({
    id: 'Registration',
    description: 'The confirmation of a contract, from request to running subscription.',
  })

export const acceptance = z
  .strictObject({
    termsVersion: plainText(250)
      .optional()
      .meta({ description: "The version of the seller's text; the one in force unless given." }),
    address: plainText(500).optional().meta({ description: "The customer's address, in one line." }),
    ipAddress: z.union([z.ipv4(), z.ipv6()]).optional().meta({ description: 'Where it was accepted.' }),
    userAgent: plainText(1000).optional(),
  })
  .meta({
    id: 'Acceptance',
    description:
      'Who accepts the contract, and where. Kept beside it and erased with the customer; the contract carries a digest.',
  })

const addressText = freeText(200).min(1)

export const address = z
  .strictObject({
    line1: addressText.optional(),
    line2: addressText.optional(),
    city: addressText.optional(),
    postalCode: freeText(20).min(1).optional(),
    state: addressText.optional().meta({ description: 'A state, province or region.' }),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .meta({ description: 'ISO 3166-1, two capital letters.', examples: ['DE'] }),
  })
  .meta({ id: 'Address', description: 'Where the customer is; the tax depends on it.' })

const agreed = z
  .strictObject({
    amount: decimalAmount.optional().meta({ description: 'Of one period, before discounts and tax.' }),
    interval: interval.optional(),
    intervalCount: z.int().min(1).optional(),
    product: key.optional(),
  })
  .meta({
    id: 'AgreedTerms',
    description:
      'What the customer saw. Refused by field where the catalogue says otherwise: a price never comes from a request.',
  })

export const paymentPage = z
  .strictObject({
    returnUrl: webAddress.meta({ description: 'Where the customer comes back to; then ask to resume.' }),
    cancelUrl: webAddress.optional().meta({ description: 'Where the customer goes who does not want to.' }),
  })
  .meta({ id: 'PaymentPage' })

export const paymentMethod = z
  .string()
  .max(100)
  .refine(withoutCardNumber, { ...refuseCardNumber, abort: true })
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, "Give a payment method's id at the provider, never a card number.")
  .meta({
    description: "A payment method's id at the provider. Never a card number.",
    examples: ['pm_card_visa'],
  })

export const secondTrial = z.enum(['again']).meta({
  description:
    "The plan's trial, also for a customer who has had one of its product; by a key that may give plans.",
})

export const newRegistration = z
  .strictObject({
    ...customerFields,
    address: address.optional(),
    plan: key.optional().meta({
      description: 'The key of a plan in the catalogue; the one for signing up unless given.',
    }),
    quantity: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1)
      .meta({ description: 'Of the recurring prices: seats, for example.' }),
    addons: newAddons.optional(),
    currency: currency
      .optional()
      .meta({ description: "Must be the plan's, if given: a second look at what was agreed." }),
    agreed: agreed.optional(),
    paymentMethod: paymentMethod.optional(),
    paymentPage: paymentPage.optional().meta({
      description: 'Instead of a payment method: the customer leaves one on a page of the provider.',
    }),
    coupons: z
      .array(key)
      .max(20)
      .refine((keys) => new Set(keys).size === keys.length, 'Each coupon once.')
      .optional()
      .meta({ description: 'Keys of coupons; each lasts as long as it says.', examples: [['welcome']] }),
    trial: secondTrial.optional(),
    purchase: purchase.optional(),
    slot: key.optional().meta({
      description: 'Which of the customer’s places for one live subscription; `default` for a membership.',
    }),
    requestOrigin: requestOrigin.optional(),
    acceptance: acceptance.optional(),
    metadata: metadata.optional(),
  })
  .meta({ id: 'NewRegistration' })

/** Why a registration may be refused, whatever way it is asked for. */
export const registrationProblems = [
  'addon_unknown',
  'addon_not_allowed',
  'addon_not_published',
  'addon_mismatch',
  'agreed_terms_differ',
  'purchase_unknown',
  'purchase_not_offered',
  'coupon_unknown',
  'coupon_expired',
  'tax_address_required',
  'tax_address_invalid',
  'plan_unknown',
  'plan_not_allowed',
  'plan_not_published',
  'currency_mismatch',
  'forbidden',
  'subscription_exists',
  'trial_used',
  'meter_billed_already',
  'registration_in_progress',
  'payment_method_required',
  'quantity_invalid',
  'test_clock_not_found',
  'live_mode_refused',
  'card_declined',
  'payment_not_confirmed',
  'registration_abandoned',
  'registration_canceled',
  'provider_refused',
] as const satisfies readonly ProblemCode[]

const params = z.strictObject({ id: idParam('registration') })
const tags = ['Registrations']

export const createRegistration = defineRoute({
  id: 'createRegistration',
  method: 'POST',
  path: '/v1/registrations',
  callers: { key: 'subscriptions:write' },
  summary: 'Register a customer on a plan',
  description:
    'Records the customer, creates it at the provider, links both, and starts the subscription, in recorded steps. A crash resumes after the last one; a refusal undoes what can be undone and says at which step. A known `externalId` is registered again, not created again.',
  tags,
  body: newRegistration,
  answers: {
    201: registration.meta({ description: 'The subscription runs.' }),
    202: registration.meta({
      description: 'Still on its way, or the customer has something to do first: see `state`.',
    }),
  },
  problems: registrationProblems,
})

export const readRegistration = defineRoute({
  id: 'readRegistration',
  method: 'GET',
  path: '/v1/registrations/:id',
  callers: { key: 'subscriptions:read', user: 'own registration' },
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
  callers: { key: 'subscriptions:read', user: 'own customer in query' },
  summary: 'List registrations, newest first',
  tags,
  query: z.strictObject({
    customer: idParam('customer').optional(),
    state: registrationState.optional(),
    plan: key.optional(),
    cause: cause.optional(),
    ...page,
  }),
  answers: { 200: listOf('Registration', registration) },
})

export const resumeRegistration = defineRoute({
  id: 'resumeRegistration',
  method: 'POST',
  path: '/v1/registrations/:id/resume',
  callers: { key: 'subscriptions:write' },
  summary: 'Go on with a registration that stopped',
  description:
    'Goes on after the last recorded step: tries a failed one now, looks whether the customer has done what was asked, takes up a parked one. A completed one is answered as it is.',
  tags,
  params,
  answers: { 200: registration, 202: registration },
  problems: ['registration_not_found'],
})

export const cancelRegistration = defineRoute({
  id: 'cancelRegistration',
  method: 'POST',
  path: '/v1/registrations/:id/cancel',
  callers: { key: 'subscriptions:write' },
  summary: 'Give up a registration that has not ended',
  description:
    'Undoes what was made, last first; the customer stays. A step whose outcome is not known is found out about first. What was paid for already is left to a person.',
  tags,
  params,
  answers: { 200: registration, 202: registration },
  problems: ['registration_not_found', 'registration_ended'],
})
