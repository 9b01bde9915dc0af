import { couponDurations } from '@lockstep/core/coupon'
import { changeMoments } from '@lockstep/core/plan-change'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { key } from './ids.ts'
import { aggregation, meterRules } from './meters.ts'
import { currency, decimalAmount, unitAmount } from './money.ts'
import { audience, interval } from './plans.ts'
import { groupBy, unitAmounts } from './prices.ts'
import { quantity } from './quantity.ts'

const product = z
  .strictObject({
    name: z.string().min(1).max(200),
    description: z.string().max(1000).optional(),
    unitLabel: z.string().max(12).optional(),
    taxCode: z.string().max(100).optional().meta({ description: "The provider's tax code." }),
  })
  .meta({ id: 'CatalogProduct' })

const meter = z
  .strictObject({
    name: z.string().min(1).max(200),
    unitLabel: z.string().min(1).max(100),
    aggregation,
    ...meterRules,
    filter: z
      .record(z.string(), z.union([z.string(), z.array(z.string())]))
      .optional()
      .meta({ description: meterRules.filter.description }),
  })
  .meta({ id: 'CatalogMeter' })

const seller = z
  .strictObject({
    name: z.string().min(1).max(250),
    address: z.string().max(250).optional().meta({ description: 'In one line.' }),
    email: z.string().max(250).optional(),
    taxId: z.string().max(250).optional(),
    terms: z
      .strictObject({ version: z.string().min(1).max(250), url: z.string().max(250).optional() })
      .optional()
      .meta({ description: 'The text that customers accept.' }),
  })
  .meta({ id: 'CatalogSeller', description: 'The other party of every contract.' })

const featureName = z.string().min(1).max(250)

const feature = z
  .discriminatedUnion('kind', [
    z.strictObject({ name: featureName, kind: z.literal('switch') }),
    z.strictObject({ name: featureName, kind: z.literal('limit'), unitLabel: z.string().min(1).max(250) }),
    z.strictObject({ name: featureName, kind: z.literal('metered'), meter: key }),
  ])
  .meta({
    id: 'CatalogFeature',
    description:
      '`switch`: on or off. `limit`: up to a number of things at once. `metered`: up to a quantity of a meter in each period.',
  })

const grant = z
  .union([
    z.literal(true),
    z.strictObject({
      upTo: quantity.nullable().meta({ description: 'Inclusive; null for no end.' }),
      beyond: z
        .enum(['billed', 'refused'])
        .optional()
        .meta({ description: 'Of a metered feature; `refused` unless given.' }),
    }),
  ])
  .meta({ id: 'CatalogGrant', description: '`true` for a switch; `upTo` for the others.' })

const tier = z
  .strictObject({
    upTo: quantity.nullable().meta({ description: 'The last unit of this tier; null for the last tier.' }),
    unitAmount: unitAmount.optional(),
    flatAmount: decimalAmount.optional(),
  })
  .meta({ id: 'CatalogTier' })

const common = {
  name: z.string().min(1).max(200).optional().meta({ description: 'Shown on invoices.' }),
  product: key.optional().meta({ description: "The plan's unless given." }),
  kind: z
    .enum(['recurring', 'usage', 'share', 'bound'])
    .optional()
    .meta({ description: 'Needed for `recurring` only: billed every period, whatever is used.' }),
  meter: key.optional().meta({ description: 'Billed by the usage of this meter.' }),
  timing: z.enum(['inAdvance', 'inArrears']).optional(),
  included: quantity.optional().meta({ description: 'Of usage: units of a period that cost nothing.' }),
  maximum: decimalAmount.optional().meta({ description: 'Of usage: the most that it costs in a period.' }),
  collectFrom: decimalAmount.optional().meta({
    description: 'Of a fee of nothing: an invoice that comes to less is carried to the next one.',
  }),
  ...groupBy,
}

const price = z
  .discriminatedUnion('model', [
    z.strictObject({ ...common, model: z.enum(['flat', 'minimum', 'maximum']), amount: decimalAmount }),
    z.strictObject({ ...common, model: z.literal('perUnit'), unitAmount, ...unitAmounts }),
    z.strictObject({
      ...common,
      model: z.literal('package'),
      amount: decimalAmount,
      size: quantity,
      round: z.enum(['up', 'down']).optional(),
    }),
    z.strictObject({ ...common, model: z.enum(['graduated', 'volume']), tiers: z.array(tier).min(1) }),
    z.strictObject({
      ...common,
      model: z.literal('percentage'),
      percent: z.string().meta({ examples: ['10'] }),
    }),
  ])
  .meta({ id: 'CatalogPrice' })

const limits = {
  included: quantity.optional(),
  maximum: decimalAmount.optional(),
}

/** A price without what it is for: the terms that a subscription may have of its own. */
export const ownPriceTerms = z
  .discriminatedUnion('model', [
    z.strictObject({ ...limits, model: z.literal('flat'), amount: decimalAmount }),
    z.strictObject({ ...limits, model: z.literal('perUnit'), unitAmount, ...unitAmounts }),
    z.strictObject({
      ...limits,
      model: z.literal('package'),
      amount: decimalAmount,
      size: quantity,
      round: z.enum(['up', 'down']).optional(),
    }),
    z.strictObject({ ...limits, model: z.enum(['graduated', 'volume']), tiers: z.array(tier).min(1) }),
    z.strictObject({ model: z.literal('percentage'), percent: z.string().meta({ examples: ['10'] }) }),
    z.strictObject({ model: z.enum(['minimum', 'maximum']), amount: decimalAmount }),
  ])
  .meta({ id: 'OwnPriceTerms' })

const plan = z
  .strictObject({
    name: z.string().min(1).max(200),
    audience: audience.optional(),
    product: key,
    currency: currency.optional(),
    interval,
    intervalCount: z.int().min(1).optional(),
    usageInterval: interval.optional().meta({
      description:
        'How often usage is billed, where that is more often than the fees: `month` on an annual plan.',
    }),
    usageIntervalCount: z.int().min(1).optional(),
    trialDays: z.int().min(0).max(730).optional(),
    trialUsage: z.enum(['free', 'billed']).optional(),
    rollsInto: key.optional(),
    purchase: key.optional().meta({ description: 'How it is bought; a `membership` unless given.' }),
    payments: z.int().min(2).optional().meta({ description: 'A fixed number of payments; then it is over.' }),
    grants: z.record(key, grant).optional().meta({ description: 'What is to be had on it, by feature.' }),
    prices: z.record(key, price),
  })
  .meta({ id: 'CatalogPlan' })

const addon = z
  .strictObject({
    name: z.string().min(1).max(200),
    audience: audience.optional(),
    product: key,
    currency: currency.optional(),
    interval,
    intervalCount: z.int().min(1).optional(),
    plans: z
      .array(key)
      .min(1)
      .optional()
      .meta({ description: 'Those that it goes with; every one of its currency and rhythm unless given.' }),
    grants: z
      .record(key, grant)
      .optional()
      .meta({ description: 'What one piece of it gives, by feature, beside what the plan does.' }),
    prices: z.record(key, price).meta({ description: 'Recurring and in advance.' }),
  })
  .meta({ id: 'CatalogAddon', description: 'What is sold beside a plan.' })

const coupon = z
  .strictObject({
    name: z.string().min(1).max(40).meta({ description: 'Shown on invoices.' }),
    percentOff: z
      .string()
      .optional()
      .meta({ examples: ['20'] }),
    amountOff: decimalAmount.optional(),
    currency: currency.optional().meta({ description: 'Of the amount.' }),
    duration: z.enum(couponDurations),
    durationInMonths: z.int().min(1).optional(),
    redeemBy: z.string().optional().meta({ description: 'From then on it cannot be redeemed.' }),
    maxRedemptions: z.int().min(1).optional(),
  })
  .meta({ id: 'CatalogCoupon' })

const signUp = z
  .strictObject({
    plan: key,
    afterTrial: z
      .union([
        z.literal('expire'),
        z.strictObject({ moveTo: key }),
        z.strictObject({ extendDays: z.int().min(1).max(365) }),
      ])
      .optional()
      .meta({ description: 'What follows a trial that ends without a choice; `expire` unless given.' }),
  })
  .meta({ id: 'CatalogSignUp' })

const planChanges = z
  .strictObject({
    upgrade: z.enum(changeMoments).optional().meta({ description: '`now` unless given.' }),
    downgrade: z.enum(changeMoments).optional().meta({ description: '`periodEnd` unless given.' }),
  })
  .meta({ id: 'CatalogPlanChanges', description: 'When changes of plans take effect.' })

/** A catalogue as a person writes it: the same that `defineCatalog` takes. */
export const catalogDocument = z
  .strictObject({
    currency: currency.meta({ description: 'Of every plan that names none.' }),
    seller: seller.optional(),
    products: z.record(key, product).meta({ description: 'By key.' }),
    meters: z.record(key, meter).optional().meta({ description: 'By key, the `type` of usage events.' }),
    features: z.record(key, feature).optional().meta({ description: 'By key; plans grant them.' }),
    coupons: z.record(key, coupon).optional().meta({ description: 'By key; registrations name them.' }),
    plans: z.record(key, plan).meta({ description: 'By key.' }),
    addons: z.record(key, addon).optional().meta({ description: 'By key.' }),
    signUp: signUp.optional().meta({ description: 'What whoever chooses no plan gets.' }),
    planChanges: planChanges.optional(),
    grace: z
      .strictObject({ days: z.int().min(0).max(365) })
      .optional()
      .meta({
        description: 'How long access outlives a failed payment; as long as the provider tries unless given.',
      }),
  })
  .meta({
    id: 'Catalog',
    description: 'Everything that is for sale. Amounts are decimal text in major units, exact.',
  })

export type CatalogDocument = z.output<typeof catalogDocument>

const change = z
  .strictObject({
    kind: z.enum([
      'seller',
      'product',
      'meter',
      'feature',
      'coupon',
      'plan',
      'addon',
      'signUp',
      'planChanges',
      'grace',
    ]),
    key,
    action: z.enum(['create', 'update', 'newVersion', 'archive', 'unchanged']).meta({
      description:
        '`newVersion`: a plan or add-on that is sold never changes; its subscribers stay on the old version. `unchanged`: it stands as it is written, and what `details` says keeps it from being bought.',
    }),
    details: z
      .array(z.string())
      .readonly()
      .meta({ description: 'What differs, or what is wrong all the same, a sentence each.' }),
    subscribers: z
      .array(
        z.strictObject({
          version: z.int().min(1),
          count: z.int().min(1).meta({ description: 'Subscriptions that are live.' }),
        }),
      )
      .meta({
        description:
          'Of a plan or add-on that changes or is archived: who is on which version, and stays there.',
      }),
  })
  .meta({ id: 'CatalogChange' })

const changes = z
  .strictObject({
    changes: z.array(change).meta({
      description:
        'One for each product, meter, feature, plan and add-on and for the seller, also for those that stay as they are.',
    }),
  })
  .meta({ id: 'CatalogChanges' })

const tags = ['Catalogue']

export const readCatalog = defineRoute({
  id: 'readCatalog',
  method: 'GET',
  path: '/v1/catalog',
  callers: { key: 'catalog:read' },
  summary: 'The whole catalogue',
  description: 'In the form that it is written in: read it, change it, apply it.',
  tags,
  answers: { 200: catalogDocument },
})

export const planCatalog = defineRoute({
  id: 'planCatalog',
  method: 'POST',
  path: '/v1/catalog/plan',
  callers: { key: 'catalog:write' },
  summary: 'What applying a catalogue would change',
  tags,
  body: catalogDocument,
  answers: { 200: changes },
  problems: ['catalog_invalid'],
  idempotent: false,
})

export const applyCatalog = defineRoute({
  id: 'applyCatalog',
  method: 'POST',
  path: '/v1/catalog/apply',
  callers: { key: 'catalog:write' },
  summary: 'Make the catalogue and the provider say what is written',
  description: 'Answers what was changed. Applying the same again changes nothing.',
  tags,
  body: catalogDocument,
  answers: { 200: changes },
  problems: ['catalog_invalid', 'provider_unavailable'],
})
