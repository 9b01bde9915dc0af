import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { featureKind } from './grants.ts'
import { id, key } from './ids.ts'
import { period } from './instant.ts'
import { quantity } from './quantity.ts'
import { access, subscriptionStatus } from './subscription-words.ts'
import { givenName } from './text.ts'

const entitlement = z
  .strictObject({
    feature: key.meta({ description: "The feature's key." }),
    name: z.string(),
    kind: featureKind,
    allowed: z.boolean(),
    reason: z.enum(['granted', 'billed', 'used_up', 'inactive', 'not_granted', 'no_subscription']).meta({
      description:
        '`billed`: what is included is used, what comes now is billed. `used_up`: nothing more in this period, or a cap is reached: `cappedBy`. `inactive`: its subscription is not paid or is paused.',
    }),
    upTo: quantity.nullable().meta({ description: 'Inclusive; null for no end, and for a switch.' }),
    used: quantity.nullable().meta({ description: 'Of a metered feature, in the current period.' }),
    left: quantity.nullable().meta({ description: 'Of a metered feature with an end.' }),
    cappedBy: id('spend_limit')
      .nullable()
      .meta({ description: 'The spend limit whose cap is reached; null where none stands against it.' }),
    unitLabel: z.string().nullable(),
    source: z
      .strictObject({
        subscription: id('subscription'),
        status: subscriptionStatus,
        access,
        plan: key,
        planVersion: z.int().min(1),
        addons: z.array(key).meta({ description: 'Those that give some of it.' }),
        period,
      })
      .nullable()
      .meta({ description: 'The row that the answer rests on; null where nothing grants it.' }),
  })
  .meta({ id: 'Entitlement' })

export const readEntitlements = defineRoute({
  id: 'readEntitlements',
  method: 'GET',
  path: '/v1/entitlements',
  callers: { key: 'subscriptions:read', user: 'own customer in query' },
  summary: 'What a customer may use now, and why',
  description: 'Answered in one read of what is known here: the provider is not asked.',
  tags: ['Entitlements'],
  query: z.strictObject({
    customer: givenName(200).meta({ description: "Our id of the customer, or the application's own." }),
    feature: givenName(100).optional().meta({ description: 'All of them unless given.' }),
  }),
  answers: {
    200: z
      .strictObject({ customer: id('customer'), data: z.array(entitlement) })
      .meta({ id: 'Entitlements' }),
  },
  problems: ['customer_not_found', 'feature_not_found'],
})
