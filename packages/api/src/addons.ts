import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { expand, expanded } from './expand.ts'
import { grant } from './grants.ts'
import { key } from './ids.ts'
import { instant } from './instant.ts'
import { currency } from './money.ts'
import { listOf, page } from './pagination.ts'
import { audience, interval } from './plans.ts'
import { price } from './prices.ts'
import { givenName } from './text.ts'

const addon = z
  .strictObject({
    key,
    version: z
      .int()
      .min(1)
      .meta({ description: 'An add-on that is sold never changes: a change makes a new version.' }),
    name: z.string(),
    audience,
    product: key.meta({ description: "The product's key." }),
    currency,
    interval,
    intervalCount: z.int().min(1),
    plans: z
      .array(key)
      .nullable()
      .meta({ description: 'Those that it goes with; null for every one of its currency and rhythm.' }),
    prices: z.array(price).meta({ description: 'Recurring and in advance.' }),
    grants: z
      .array(grant)
      .meta({ description: 'What one piece of it gives, by feature, beside what the plan does.' }),
    createdAt: instant,
    ...expanded,
  })
  .meta({
    id: 'Addon',
    description: 'What is sold beside a plan: attached to a running subscription and detached again.',
  })

const tags = ['Catalogue']

export const listAddons = defineRoute({
  id: 'listAddons',
  method: 'GET',
  path: '/v1/addons',
  callers: { key: 'catalog:read', user: 'public catalogue' },
  summary: 'List add-ons by key, the newest version of each',
  description: 'Users get those that anybody may choose, and nothing else.',
  tags,
  query: z.strictObject({
    plan: key.optional().meta({ description: 'Those that go with this plan.' }),
    audience: audience.optional(),
    product: key.optional().meta({ description: 'Those of this product.' }),
    expand,
    ...page,
  }),
  answers: { 200: listOf('Addon', addon) },
})

export const readAddon = defineRoute({
  id: 'readAddon',
  method: 'GET',
  path: '/v1/addons/:key',
  callers: { key: 'catalog:read', user: 'public catalogue' },
  summary: 'One add-on, newest version',
  tags,
  params: z.strictObject({ key: givenName(100).meta({ description: "The add-on's key." }) }),
  query: z.strictObject({ expand }),
  answers: { 200: addon },
  problems: ['addon_not_found'],
})
