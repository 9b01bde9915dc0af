import { changeDirections, changeMoments } from '@lockstep/core/plan-change'
import { type SubscriptionProperty, subscriptionProperties } from '@lockstep/core/subscription-properties'
import { z } from 'zod'
import { attachedAddon, changedAddons } from './attached-addons.ts'
import { customerFields } from './customers.ts'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant, instantInput, period } from './instant.ts'
import { money } from './money.ts'
import { listOf, page } from './pagination.ts'
import { recordedProblem } from './problems.ts'
import { acceptance, action, paymentMethod, paymentPage, requestOrigin } from './registrations.ts'
import { subscription } from './subscriptions.ts'

const moment = z.enum(changeMoments)

const couponKeys = z
  .array(key)
  .max(20)
  .refine((keys) => new Set(keys).size === keys.length, 'Each coupon once.')

/** Of each property that a request may name, what it may be. */
const changeable = {
  plan: key,
  quantity: z.int().min(1).max(1_000_000),
  addons: changedAddons,
  coupons: couponKeys,
  withoutCoupons: couponKeys,
  trial: z.literal('end'),
  paymentMethod,
  paymentPage,
  email: customerFields.email.unwrap().nullable(),
  name: customerFields.name.unwrap().nullable(),
  when: moment,
  trialEnd: instantInput,
} as const satisfies Partial<Record<SubscriptionProperty, z.ZodType>>

type Changeable = { [K in keyof typeof changeable]: z.ZodOptional<(typeof changeable)[K]> }
type ReadOnly = { [K in Exclude<SubscriptionProperty, keyof Changeable>]: z.ZodOptional<z.ZodUnknown> }

/** What no request may change is known by name all the same, so that every such property is named in the refusal. */
function properties(): Changeable & ReadOnly {
  const named = Object.entries(subscriptionProperties).map(([name, { how, changedBy }]) => {
    const schema: z.ZodType = name in changeable ? changeable[name as keyof typeof changeable] : z.unknown()
    const who = { user: '', admin: ' Only with `subscriptions:admin`.', provider: ' Read only.' }[changedBy]
    return [name, schema.optional().meta({ description: `${how}${who}` })]
  })
  return Object.fromEntries(named) as Changeable & ReadOnly
}

const wish = z
  .strictObject({
    ...properties(),
    requestOrigin: requestOrigin.optional(),
    acceptance: acceptance.optional(),
  })
  .meta({
    id: 'SubscriptionChange',
    description: 'What a subscription shall become; what is left out stays as it is.',
  })

const change = wish
  .extend({
    preview: z
      .string()
      .max(4000)
      .optional()
      .meta({ description: 'The token of a preview of just this: done exactly as shown, or not at all.' }),
  })
  .meta({ id: 'ConfirmedSubscriptionChange' })

export const terms = z
  .strictObject({
    plan: key,
    planVersion: z.int().min(1),
    quantity: z.int(),
    addons: z.array(attachedAddon),
  })
  .meta({ id: 'PlanTerms' })

export const planChange = z
  .strictObject({
    id: id('plan_change'),
    subscription: id('subscription'),
    customer: id('customer'),
    from: terms,
    to: terms,
    coupons: z.array(key).meta({
      description: 'Those that are redeemed; what runs already, or was given meanwhile, is not among them.',
    }),
    withoutCoupons: z
      .array(key)
      .meta({ description: 'Those that stood and are taken off; what was gone already is not among them.' }),
    direction: z.enum(changeDirections),
    takesEffect: moment,
    state: z
      .enum(['applying', 'requiresAction', 'scheduled', 'effective', 'withdrawn', 'refused', 'parked'])
      .meta({
        description:
          '`applying`: on its way. `requiresAction`: the customer has to do what `action` says; until then everything is as it was. `scheduled`: comes at `dueAt`. `parked`: a person has to look.',
      }),
    action: action.nullable(),
    problem: recordedProblem.nullable(),
    dueAt: instant.nullable().meta({ description: 'Of a scheduled one: when it takes effect.' }),
    effectiveAt: instant.nullable(),
    contract: id('contract').nullable().meta({ description: 'The contract that came of it.' }),
    requestedBy: z.string().meta({
      description: 'The id of the key that asked, or of the user; `provider` where it was planned there.',
    }),
    requestOrigin: z.string().nullable(),
    createdAt: instant,
  })
  .meta({ id: 'PlanChange', description: 'How what a subscription runs on becomes something else.' })

const previewLine = z
  .strictObject({
    description: z.string(),
    period,
    quantity: z.int().nullable(),
    amount: money,
    isProration: z.boolean(),
  })
  .meta({ id: 'PreviewLine' })

export const previewInvoice = z
  .strictObject({
    at: instant,
    lines: z.array(previewLine),
    subtotal: money,
    total: money,
    amountDue: money.meta({ description: "What is charged, after the customer's balance." }),
    credited: money.meta({ description: "Of a negative total: what is put on the customer's balance." }),
  })
  .meta({ id: 'PreviewInvoice' })

export const changePreview = z
  .strictObject({
    subscription: id('subscription'),
    from: terms,
    to: terms,
    direction: z.enum(changeDirections),
    takesEffect: moment,
    takesEffectAt: instant,
    startsPeriod: z.boolean().meta({ description: 'A whole new billing period begins with it.' }),
    dueNow: previewInvoice
      .nullable()
      .meta({ description: 'The invoice that is made and collected at once; null where there is none.' }),
    nextInvoice: previewInvoice
      .nullable()
      .meta({ description: 'Where nothing is due now: the next renewal, if it can be said already.' }),
    recurring: money.meta({ description: 'Of one period on the new terms, before discounts and tax.' }),
    contractChanges: z.array(z.string()).readonly(),
    warnings: z.array(z.string()).readonly(),
    withdraws: id('plan_change')
      .nullable()
      .meta({ description: 'A scheduled change that does not come then.' }),
    needsPaymentPage: z.boolean(),
    secondOpinion: z.enum(['agrees', 'differs', 'notAsked']).meta({
      description:
        "Whether our own computation of the prorations comes to the provider's amount; not asked where it does not know everything: discounts, tax, an earlier change in the same period.",
    }),
    token: z.string().meta({ description: 'Send it with the change, and exactly this is done.' }),
    expiresAt: instant,
  })
  .meta({ id: 'SubscriptionChangePreview' })

const answer = z.strictObject({ subscription, change: planChange }).meta({ id: 'SubscriptionChanged' })

const params = z.strictObject({ id: idParam('subscription') })
const changeParams = z.strictObject({ id: idParam('subscription'), change: idParam('plan change') })
const tags = ['Plan changes']

const refusals = [
  'subscription_not_found',
  'empty_change',
  'system_property_read_only',
  'plan_unknown',
  'plan_not_allowed',
  'plan_not_published',
  'purchase_not_offered',
  'currency_mismatch',
  'quantity_invalid',
  'addon_unknown',
  'addon_not_allowed',
  'addon_not_published',
  'addon_mismatch',
  'coupon_unknown',
  'coupon_expired',
  'meter_billed_already',
  'payment_method_required',
  'provider_refused',
  'subscription_not_changeable',
  'subscription_over',
  'money_back_in_progress',
] as const

export const previewSubscriptionChange = defineRoute({
  id: 'previewSubscriptionChange',
  method: 'POST',
  path: '/v1/subscriptions/:id/preview',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'What a change would come to',
  description:
    "The provider's own computation, with its lines and dates, and what becomes different in the contract. Nothing is changed.",
  tags,
  params,
  body: wish,
  answers: { 200: changePreview },
  problems: refusals,
  idempotent: false,
})

export const changeSubscription = defineRoute({
  id: 'changeSubscription',
  method: 'PATCH',
  path: '/v1/subscriptions/:id',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'Change what a subscription runs on, or how it is paid',
  description:
    'All of it is done, or nothing. With the token of a preview, what was shown is done, or 409 `preview_stale` carries a new one. Who pays more gets more at once, who pays less at the end of the period, unless the catalogue says otherwise.',
  tags,
  params,
  body: change,
  idempotent: true,
  answers: {
    200: answer.meta({ description: 'It took effect, or is scheduled: see `change.state`.' }),
    202: answer.meta({ description: 'Still on its way, or the customer has something to do first.' }),
  },
  problems: [
    ...refusals,
    'preview_stale',
    'plan_change_in_progress',
    'subscription_changing',
    'card_declined',
    'payment_not_confirmed',
    'plan_change_abandoned',
  ],
})

export const listPlanChanges = defineRoute({
  id: 'listPlanChanges',
  method: 'GET',
  path: '/v1/subscriptions/:id/changes',
  callers: { key: 'subscriptions:read', user: 'own subscription' },
  summary: 'List plan changes, newest first',
  tags,
  params,
  query: z.strictObject(page),
  answers: { 200: listOf('PlanChange', planChange) },
  problems: ['subscription_not_found'],
})

export const readPlanChange = defineRoute({
  id: 'readPlanChange',
  method: 'GET',
  path: '/v1/subscriptions/:id/changes/:change',
  callers: { key: 'subscriptions:read', user: 'own subscription' },
  summary: 'How far a plan change came',
  tags,
  params: changeParams,
  answers: { 200: planChange },
  problems: ['plan_change_not_found'],
})

export const resumePlanChange = defineRoute({
  id: 'resumePlanChange',
  method: 'POST',
  path: '/v1/subscriptions/:id/changes/:change/resume',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'Go on with a plan change that stopped',
  description:
    'Looks whether the customer has done what was asked: to be called when the customer is back. A user goes on ' +
    'with what waits for the customer; what is parked takes a key.',
  tags,
  params: changeParams,
  answers: { 200: planChange, 202: planChange },
  problems: ['plan_change_not_found', 'forbidden'],
})

export const cancelPlanChange = defineRoute({
  id: 'cancelPlanChange',
  method: 'POST',
  path: '/v1/subscriptions/:id/changes/:change/cancel',
  callers: { key: 'subscriptions:write', user: 'own subscription' },
  summary: 'Give up a plan change that has not taken effect',
  description:
    'One that is scheduled does not come; one that waits for the customer is undone. What is parked takes a key.',
  tags,
  params: changeParams,
  answers: { 200: planChange, 202: planChange },
  problems: ['plan_change_not_found', 'plan_change_ended', 'subscription_changing', 'forbidden'],
})
