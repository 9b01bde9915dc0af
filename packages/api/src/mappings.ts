import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { idParam, providerId } from './ids.ts'
import { instant } from './instant.ts'
import { cursor, listOf, page } from './pagination.ts'
import { givenName } from './text.ts'

const entityType = z
  .enum([
    'customer',
    'product',
    'plan',
    'addon',
    'price',
    'addon_price',
    'coupon',
    'subscription',
    'subscription_item',
    'test_clock',
  ])
  .meta({ description: 'What kind of object it is here.' })

/** An invoice names the provider's itself: it is in no list of links, and answers in their form where it is expanded. */
const shownType = z
  .enum([...entityType.options, 'invoice'])
  .meta({ description: 'What kind of object it is here.' })

export const mapping = z
  .strictObject({
    entityType: shownType,
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
    after: cursor(/^[a-z_]+\/.+$/),
  }),
  answers: { 200: listOf('Mapping', mapping) },
})

const linkable = z.enum(['customer', 'product', 'plan', 'addon', 'price', 'addon_price']).meta({
  description:
    'What may be linked by hand; `addon_price`: the price of an add-on that came in from the provider. A subscription is linked when it comes in.',
})

export const linkMapping = defineRoute({
  id: 'linkMapping',
  method: 'POST',
  path: '/v1/mappings',
  callers: { key: 'operations:write' },
  summary: "Link an object of ours to the provider's",
  description:
    'Both directions are unique: neither may be linked to another. The object is looked up first. Events that waited for the link go on by themselves. Linking the same two again changes nothing.',
  tags: ['Operations'],
  body: z
    .strictObject({
      entityType: linkable,
      entityId: givenName(100).meta({ description: 'Our id, or a catalogue key.' }),
      providerId: givenName(100).meta({
        description: "The provider's id of the object; of a plan or an add-on, its product's.",
      }),
    })
    .meta({ id: 'NewMapping' }),
  answers: { 201: mapping },
  problems: ['mapping_exists', 'mapping_invalid'],
})

export const unlinkMapping = defineRoute({
  id: 'unlinkMapping',
  method: 'DELETE',
  path: '/v1/mappings/:entityType/:entityId',
  callers: { key: 'operations:write' },
  summary: 'Take a link away',
  description: 'Both objects stay. Refused while something is sold under it.',
  tags: ['Operations'],
  params: z.strictObject({ entityType: linkable, entityId: idParam('object') }),
  answers: { 200: mapping },
  problems: ['mapping_not_found', 'mapping_in_use'],
})
