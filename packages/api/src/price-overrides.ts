import { z } from 'zod'
import { ownPriceTerms } from './catalog.ts'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant } from './instant.ts'
import { money } from './money.ts'
import { flag, listOf, page } from './pagination.ts'
import { price } from './prices.ts'
import { plainText } from './text.ts'

const from = z
  .enum(['currentPeriod', 'nextPeriod'])
  .meta({ description: 'The first period that it holds for, counted from when it was made.' })

const startsAt = instant.meta({
  description: 'When that period begins; of the next one as the cycle stood then, and it may begin earlier.',
})

const priceOverride = z
  .strictObject({
    id: id('price_override'),
    subscription: id('subscription'),
    price: key.meta({ description: "The price's key." }),
    terms: price.nullable().meta({ description: "The price in its place; null: the plan's again." }),
    from,
    startsAt,
    reason: z.string(),
    madeBy: z.string().meta({ description: 'The key that it came by.' }),
    agent: z
      .string()
      .nullable()
      .meta({ description: 'The person behind it, as the application named them.' }),
    madeAt: instant,
  })
  .meta({
    id: 'PriceOverride',
    description:
      'A price that one subscription has of its own. Of two for one price the one made later holds, from its beginning on.',
  })

const priceOverrideEffect = z
  .strictObject({
    subscription: id('subscription'),
    price: key,
    from,
    startsAt,
    before: money.meta({ description: 'All lines of the current invoice, before discounts and tax.' }),
    after: money,
    changes: z.array(z.string()).meta({
      description: 'What becomes different of what was agreed.',
      examples: [['prices/compute/unitAmount: 0.01 → 0.008']],
    }),
  })
  .meta({ id: 'PriceOverrideEffect' })

const params = z.strictObject({ id: idParam('subscription') })
const tags = ['Subscriptions']

export const overridePrice = defineRoute({
  id: 'overridePrice',
  method: 'POST',
  path: '/v1/subscriptions/:id/price-overrides',
  callers: { key: 'subscriptions:admin' },
  summary: 'Give one subscription its own price for usage',
  description:
    'A preview unless `dryRun` is false. Of usage, a share, a minimum or a maximum; fees are refused. ' +
    'It holds from a period on until another one is made that holds, and stays from plan to plan.',
  tags,
  params,
  query: z.strictObject({
    dryRun: flag.default(true).meta({ description: 'Only say what it would do.' }),
  }),
  body: z
    .strictObject({
      price: key.meta({ description: 'Its key in the plan.' }),
      terms: ownPriceTerms
        .nullable()
        .meta({ description: "As in the catalogue; null gives the plan's price back." }),
      from: from
        .default('nextPeriod')
        .meta({ description: 'The first period that it holds for; one that is over stays as it was.' }),
      reason: plainText(500)
        .min(1)
        .meta({ description: 'Why, for the records; the customer does not read it.' }),
      agent: plainText(100)
        .min(1)
        .optional()
        .meta({ description: 'The person behind it, by your own name.' }),
    })
    .meta({ id: 'NewPriceOverride' }),
  answers: { 200: priceOverrideEffect, 201: priceOverride },
  problems: ['subscription_not_found', 'price_not_overridable'],
})

export const listPriceOverrides = defineRoute({
  id: 'listPriceOverrides',
  method: 'GET',
  path: '/v1/subscriptions/:id/price-overrides',
  callers: { key: 'subscriptions:read' },
  summary: 'The prices that a subscription was given of its own, newest first',
  description: 'Those too that do not hold any more: who did what, when and why.',
  tags,
  params,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('PriceOverride', priceOverride) },
  problems: ['subscription_not_found'],
})
