import { cancelReasons, unusedTimes } from '@lockstep/core/cancellation'
import { collections } from '@lockstep/core/subscription-history'
import { reasonsToKeep } from '@lockstep/core/unused-time'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { idParam } from './ids.ts'
import { instant, instantInput, period } from './instant.ts'
import { money } from './money.ts'
import { subscription } from './subscriptions.ts'

const params = z.strictObject({ id: idParam('subscription') })
const tags = ['Subscriptions']

const cancellation = z
  .strictObject({
    when: z
      .enum(['now', 'periodEnd'])
      .optional()
      .meta({ description: 'With the running period, unless given; or `at` a date.' }),
    at: instantInput
      .optional()
      .meta({ description: 'A date in the future, in the middle of whatever period. Not with `when`.' }),
    unusedTime: z
      .enum(unusedTimes)
      .default('keep')
      .meta({
        description:
          'What becomes of the rest of a paid period, of an end `now`: nothing, credit on the balance, or money ' +
          'back to the card. Credit and refund take the scope `subscriptions:admin`.',
      }),
    reason: z.enum(cancelReasons).optional().meta({ description: 'Why; kept with the history.' }),
  })
  .meta({ id: 'Cancellation' })

const confirmed = cancellation
  .extend({
    preview: z
      .string()
      .max(16_000)
      .optional()
      .meta({ description: 'The token of a preview of just this: done exactly as shown, or not at all.' }),
  })
  .meta({ id: 'ConfirmedCancellation' })

const notGivenBack = z
  .array(
    z.strictObject({
      reason: z.enum(reasonsToKeep).meta({
        description:
          '`notPaid`: nobody paid for it. `givenBack`: given back before, or taken by the bank. `notRefundable`: paid ' +
          'from the balance, outside the provider or by several payments; as credit more may go back. `rounded`: less ' +
          'than can be given back. `refused`: by the provider.',
      }),
      amount: money,
    }),
  )
  .meta({ description: 'What is unused and stays all the same, and why; nothing where nobody asks for it.' })

const givenBack = z
  .strictObject({
    how: z.enum(['credit', 'refund']),
    amount: money.meta({ description: 'Of all invoices that the time was paid with together.' }),
    notGivenBack,
    problem: z.strictObject({ code: z.string(), detail: z.string() }).nullable().meta({
      description: 'Why the provider refused some of it, if it did. The subscription has ended all the same.',
    }),
  })
  .nullable()
  .meta({ description: 'What was given back for unused time; null where nothing was unused, or asked for.' })

const deedState = z.enum(['done', 'running', 'requiresAction', 'unchanged']).meta({
  description:
    '`running`: it goes on by itself. `requiresAction`: when the customer has paid. `unchanged`: it was so already.',
})

const action = z
  .strictObject({
    type: z.literal('payInvoice'),
    url: z.string().meta({ description: 'A page of the provider, for the customer.' }),
    problem: z
      .strictObject({ code: z.string(), detail: z.string() })
      .nullable()
      .meta({ description: 'Why it was not paid at once; null where the bank asks the customer.' }),
  })
  .nullable()
  .meta({ description: 'What the customer has to do before it goes on; null for nothing.' })

const deedAnswer = z
  .strictObject({ state: deedState, subscription, givenBack, action })
  .meta({ id: 'SubscriptionDeed', description: 'What was done to a subscription, and how it stands now.' })

const answers = {
  200: deedAnswer,
  202: deedAnswer.meta({
    description: 'The provider takes its time, or the customer has to pay; it goes on by itself then.',
  }),
}

export const cancelSubscription = defineRoute({
  id: 'cancelSubscription',
  method: 'POST',
  path: '/v1/subscriptions/:id/cancel',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'End a subscription: with its period, now, or at a date',
  description:
    'Usage is sent to the provider first; what is left unbilled after the end stands on an invoice of its own that ' +
    'names its items. A planned end is taken back by `resume`; one that has come is not. With the token of a preview, what ' +
    'was shown is done, or 409 `preview_stale` carries a new one.',
  tags,
  params,
  body: confirmed,
  answers,
  problems: [
    'subscription_not_found',
    'subscription_over',
    'subscription_changing',
    'preview_stale',
    'forbidden',
  ],
})

const previewLine = z.strictObject({ description: z.string(), period, amount: money })

export const previewCancellation = defineRoute({
  id: 'previewCancellation',
  method: 'POST',
  path: '/v1/subscriptions/:id/cancel/preview',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'What ending a subscription so would bill and give back',
  description: "Changes nothing. Unused time is the provider's own reckoning, to the second.",
  tags,
  params,
  body: cancellation,
  idempotent: false,
  answers: {
    200: z
      .strictObject({
        endsAt: instant,
        usage: z.array(previewLine).meta({
          description: 'Used and not billed yet: what an end now would still bill.',
        }),
        discounts: z
          .array(z.strictObject({ name: z.string(), coupon: z.string().nullable(), amount: money }))
          .meta({ description: 'What comes off the usage, above zero.' }),
        tax: money.nullable().meta({ description: 'On the usage. Null where it is not known yet.' }),
        unusedTime: z.array(previewLine).meta({ description: 'The rest of what is billed in advance.' }),
        toBill: money.meta({ description: 'The usage after discounts, with tax.' }),
        toGiveBack: money.meta({
          description: 'Of all invoices together. Never more than was paid and not given back since.',
        }),
        notGivenBack,
        token: z.string().meta({ description: 'Send it with the end, and exactly this is done.' }),
        expiresAt: instant.meta({ description: 'By the customer’s own time.' }),
      })
      .meta({ id: 'CancellationPreview' }),
  },
  problems: ['subscription_not_found', 'subscription_over', 'forbidden'],
})

export const resumeSubscription = defineRoute({
  id: 'resumeSubscription',
  method: 'POST',
  path: '/v1/subscriptions/:id/resume',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'Let a subscription go on',
  description:
    'Takes back a planned end, collects invoices again, and goes on with one that is paused, whose new period is ' +
    'paid at once. Where collection was paused, only `subscriptions:admin` may. A user ' +
    'takes back an end that the user planned, or that was planned for the reason `customer`.',
  tags,
  params,
  answers,
  problems: [
    'subscription_not_found',
    'subscription_over',
    'subscription_changing',
    'nothing_to_resume',
    'payment_method_required',
    'card_declined',
    'forbidden',
  ],
})

export const pauseSubscription = defineRoute({
  id: 'pauseSubscription',
  method: 'POST',
  path: '/v1/subscriptions/:id/pause',
  callers: { key: 'subscriptions:admin' },
  summary: 'Leave the invoices of a subscription uncollected for a while',
  description: 'Service and periods go on. Invoices are made, and kept as drafts, written off, or voided.',
  tags,
  params,
  body: z
    .strictObject({
      collection: z
        .enum(collections)
        .exclude(['charging'])
        .meta({ description: 'What becomes of its invoices meanwhile.' }),
      resumesAt: instantInput
        .optional()
        .meta({ description: 'When they are collected again by themselves.' }),
    })
    .meta({ id: 'PausedCollection' }),
  answers,
  problems: ['subscription_not_found', 'subscription_over', 'subscription_changing'],
})
