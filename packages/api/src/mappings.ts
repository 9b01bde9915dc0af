import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { idParam, providerId } from './ids.ts'
import { instant } from './instant.ts'
import { listOf, page } from './pagination.ts'
import { givenName } from './text.ts'

const entityType = z
  .enum(['customer', 'product', 'plan', 'price', 'coupon', 'subscription', 'subscription_item', 'test_clock'])
  .meta({ description: 'What kind of object it is here.' })

export const mapping = z
  .strictObject({
    entityType,
    entityId: z.string().meta({ description: 'Our id, or a catalogue key.' }),
    provider: z.literal('stripe'),
    providerType: z.string().meta({ examples: ['customer'] }),
    providerId,
    livemode: z.boolean(),
    origin: z.enum(['outbound', 'webhook', 'import', 'link']).meta({
      description: 'How both came together: made by us, seen in an event, imported, linked by hand.',
    }),
    createdAt: instant,
  })
  .meta({ id: 'Mapping', description: "Which object of ours is which object of the provider's." })

export const listMappings = defineRoute({
  id: 'listMappings',
  method: 'GET',
  path: '/v1/mappings',
  callers: { key: 'operations:read' },
  summary: "List which object of ours is which of the provider's",
  tags: ['Operations'],
  query: z.strictObject({
    entityType: entityType.optional(),
    entityId: idParam('object').optional(),
    providerId: givenName(100).optional().meta({ description: "The provider's id of the object." }),
    ...page,
  }),
  answers: { 200: listOf('Mapping', mapping) },
})
