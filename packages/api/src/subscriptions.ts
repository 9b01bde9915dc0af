import { z } from 'zod'
import { attachedAddon } from './attached-addons.ts'
import { agreedDiscount } from './contracts.ts'
import { defineRoute } from './define-route.ts'
import { expanded } from './expand.ts'
import { externalId, id, idParam, key, providerId } from './ids.ts'
import { instant, instantInput, period } from './instant.ts'
import { currency } from './money.ts'
import { flag, listOf, page } from './pagination.ts'
import { access, collection, subscriptionStatus } from './subscription-words.ts'

const scheduledChange = z
  .strictObject({
    id: id('plan_change'),
    plan: key,
    planVersion: z.int().min(1),
    quantity: z.int(),
    addons: z.array(attachedAddon),
    takesEffectAt: instant,
  })
  .meta({ id: 'ScheduledChange' })

const runningDiscount = agreedDiscount
  .extend({
    source: z.enum(['item', 'subscription', 'customer']).meta({
      description:
        'What it was given to: what is given to all that a customer has goes for those without their own.',
    }),
  })
  .meta({ id: 'RunningDiscount', description: 'What is taken off by itself, whoever gave it.' })

const expand = z.enum(['mappings', 'discounts']).optional().meta({
  description:
    '`mappings`: with what each is linked to at the provider. `discounts`: with what is taken off by itself.',
})

export const subscription = z
  .strictObject({
    id: id('subscription'),
    customer: id('customer'),
    externalId,
    slot: key.nullable().meta({
      description:
        'A customer has one live subscription for each slot; null for a second one that was made elsewhere.',
    }),
    plan: key.meta({ description: "The plan's key." }),
    planVersion: z
      .int()
      .min(1)
      .meta({ description: 'Of a plan that was changed, the version this subscription is on.' }),
    status: subscriptionStatus,
    access,
    pastDueSince: instant
      .nullable()
      .meta({ description: 'Since when a payment is overdue; null while none is.' }),
    graceEndsAt: instant
      .nullable()
      .meta({ description: 'When that ends access; null where nothing is overdue, or grace has no end.' }),
    currency,
    quantity: z.int(),
    addons: z.array(attachedAddon).meta({ description: 'What runs beside the plan, by key.' }),
    billingCycleAnchor: instant.meta({ description: 'The moment that periods are counted from.' }),
    currentPeriod: period,
    trial: period.nullable(),
    cancelAt: instant.nullable(),
    cancelAtPeriodEnd: z.boolean(),
    canceledAt: instant.nullable().meta({ description: 'When it was asked to end.' }),
    endedAt: instant.nullable().meta({ description: 'When it was over.' }),
    startedAt: instant,
    modifiedAt: instant.nullable().meta({ description: 'When it changed last, in the customer’s own time.' }),
    collection,
    collectionResumesAt: instant.nullable().meta({ description: 'When it is collected again by itself.' }),
    scheduledChange: scheduledChange
      .nullable()
      .meta({ description: 'What it changes to when the period is over, whoever planned that.' }),
    unreadSchedule: z.string().nullable().meta({
      description:
        'Why what is planned at the provider cannot be said here; null where there is nothing of the kind.',
    }),
    providerId: providerId.nullable(),
    createdAt: instant,
    ...expanded,
    discounts: z.array(runningDiscount).nullable().optional().meta({
      description:
        'Only with `expand=discounts`: what is taken off now, in that order. Null while what one of them takes off is not known.',
    }),
  })
  .meta({ id: 'Subscription', description: 'A running agreement: a customer on a plan.' })

const tags = ['Subscriptions']

export const listSubscriptions = defineRoute({
  id: 'listSubscriptions',
  method: 'GET',
  path: '/v1/subscriptions',
  callers: { key: 'subscriptions:read', user: 'own customer in query' },
  summary: 'List subscriptions, newest first',
  tags,
  query: z.strictObject({
    customer: idParam('customer').optional(),
    status: subscriptionStatus.optional(),
    plan: key.optional(),
    addon: key.optional().meta({ description: 'Those that this add-on is attached to.' }),
    ending: flag.optional().meta({ description: 'Whether its end is planned, and has not come.' }),
    inGrace: flag.optional().meta({ description: 'Whether a payment is overdue that still leaves access.' }),
    trialEndsBefore: instantInput
      .optional()
      .meta({ description: 'On trial now, and not any more at that moment.' }),
    modifiedAfter: instantInput
      .optional()
      .meta({ description: 'Changed later than that moment, in the customer’s own time.' }),
    expand,
    ...page,
  }),
  answers: { 200: listOf('Subscription', subscription) },
})

export const readSubscription = defineRoute({
  id: 'readSubscription',
  method: 'GET',
  path: '/v1/subscriptions/:id',
  callers: { key: 'subscriptions:read', user: 'own subscription' },
  summary: 'One subscription',
  tags,
  params: z.strictObject({ id: idParam('subscription') }),
  query: z.strictObject({ expand }),
  answers: { 200: subscription },
  problems: ['subscription_not_found'],
})
