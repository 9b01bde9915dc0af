import { couponDurations } from '@lockstep/core/coupon'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { key, providerId } from './ids.ts'
import { instant } from './instant.ts'
import { currency, money } from './money.ts'
import { flag, listOf, page } from './pagination.ts'
import { givenName } from './text.ts'

const duration = z.enum(couponDurations).meta({
  description:
    '`once`: the first invoice. `repeating`: for some months. `forever`: as long as the subscription.',
})

export const coupon = z
  .strictObject({
    key: key.meta({ description: 'What is named when something is bought.' }),
    name: z.string().meta({ description: 'Shown on invoices.' }),
    percentOff: z
      .string()
      .nullable()
      .meta({ description: 'A share; null for an amount.', examples: ['12.5'] }),
    amountOff: money.nullable().meta({ description: 'An amount; null for a share.' }),
    duration,
    durationInMonths: z.int().nullable().meta({ description: 'Of a repeating one.' }),
    redeemBy: instant.nullable().meta({ description: 'From then on it cannot be redeemed.' }),
    maxRedemptions: z.int().nullable().meta({ description: 'By all customers together.' }),
    origin: z.enum(['catalog', 'provider']).meta({
      description: '`provider`: made there. It is redeemed there, and here once the catalogue names it.',
    }),
    promotionCodes: z
      .array(z.strictObject({ id: providerId, code: z.string(), active: z.boolean() }))
      .meta({ description: "How it is claimed on the provider's own pages, by code." }),
    products: z.array(providerId).meta({
      description:
        "The provider's products that it takes something off; empty for all. Only one that was made there is limited.",
    }),
    archived: z.boolean().meta({ description: 'It cannot be redeemed any more; who has it keeps it.' }),
    createdAt: instant,
  })
  .meta({
    id: 'Coupon',
    description: 'A reduction that may be named when something is bought. It never changes.',
  })

const tags = ['Catalogue']

export const listCoupons = defineRoute({
  id: 'listCoupons',
  method: 'GET',
  path: '/v1/coupons',
  callers: { key: 'catalog:read' },
  summary: 'List coupons by key',
  description: 'Not for users: who knows a key may redeem it.',
  tags,
  query: z.strictObject({
    duration: duration.optional(),
    currency: currency
      .optional()
      .meta({ description: 'Those that take off an amount of it, and every share.' }),
    archived: flag.default(false).meta({ description: 'Those instead that cannot be redeemed any more.' }),
    ...page,
  }),
  answers: { 200: listOf('Coupon', coupon) },
})

export const readCoupon = defineRoute({
  id: 'readCoupon',
  method: 'GET',
  path: '/v1/coupons/:key',
  callers: { key: 'catalog:read' },
  summary: 'One coupon, archived or not',
  tags,
  params: z.strictObject({ key: givenName(100).meta({ description: "The coupon's key." }) }),
  answers: { 200: coupon },
  problems: ['coupon_not_found'],
})
