import { type OutgoingEventType, outgoingEvents, outgoingEventTypes } from '@lockstep/core/outgoing-event'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam } from './ids.ts'
import { instant, instantInput } from './instant.ts'
import { listOf, page } from './pagination.ts'
import { freeText } from './text.ts'

const type = z.enum(outgoingEventTypes as [OutgoingEventType, ...OutgoingEventType[]]).meta({
  id: 'EventType',
  description: `What an event tells. ${outgoingEventTypes.map((name) => `\`${name}\`: ${outgoingEvents[name]}`).join(' ')}`,
})

const url = z
  .url({ protocol: /^https?$/, error: 'Give an address that begins with https://.' })
  .max(2000)
  .meta({
    description: 'Where events are posted. `https` in live mode, and never an address of a private network.',
    examples: ['https://app.example.org/webhooks/lockstep'],
  })

const types = z.array(type).min(1).nullable().meta({
  description: 'The events that it gets; null for all, also those that come with a later version.',
})

const description = freeText(200).nullable().meta({ description: 'For people: what listens there.' })

const fields = {
  id: id('webhook_endpoint'),
  url: z.string(),
  description,
  types,
  state: z.enum(['enabled', 'disabled']),
  disabledBecause: z.enum(['asked', 'failing', 'gone']).nullable().meta({
    description:
      '`failing`: nothing was taken for five days. `gone`: it answered 410. Null while it is enabled.',
  }),
  disabledAt: instant.nullable(),
  failingSince: instant.nullable().meta({ description: 'Null while it takes what it gets.' }),
  formerSecretsUntil: instant.nullable().meta({
    description: 'Until when messages are signed with the secret before, too; null when with one only.',
  }),
  createdAt: instant,
}

export const webhookEndpoint = z
  .strictObject(fields)
  .meta({ id: 'WebhookEndpoint', description: 'Where the application is told what happened.' })

const withSecret = z
  .strictObject({
    ...fields,
    secret: z.string().meta({
      description: 'What messages to it are signed with (`whsec_…`). Shown this once.',
    }),
  })
  .meta({ id: 'WebhookEndpointWithSecret' })

const params = z.strictObject({ id: idParam('webhook endpoint') })
const tags = ['Operations']

export const createWebhookEndpoint = defineRoute({
  id: 'createWebhookEndpoint',
  method: 'POST',
  path: '/v1/webhook-endpoints',
  callers: { key: 'operations:write' },
  summary: 'Have events sent to an address',
  description:
    'It gets what happens from now on. What happened before can be replayed. Takes, beside its own scope, those that read what it is told: all that read, for all events.',
  tags,
  body: z
    .strictObject({ url, description: description.optional(), types: types.optional() })
    .meta({ id: 'NewWebhookEndpoint' }),
  answers: { 201: withSecret },
  problems: ['forbidden', 'webhook_url_refused'],
})

export const listWebhookEndpoints = defineRoute({
  id: 'listWebhookEndpoints',
  method: 'GET',
  path: '/v1/webhook-endpoints',
  callers: { key: 'operations:read' },
  summary: 'Where events are sent, newest first',
  tags,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('WebhookEndpoint', webhookEndpoint) },
})

export const readWebhookEndpoint = defineRoute({
  id: 'readWebhookEndpoint',
  method: 'GET',
  path: '/v1/webhook-endpoints/:id',
  callers: { key: 'operations:read' },
  summary: 'One endpoint',
  tags,
  params,
  answers: { 200: webhookEndpoint },
  problems: ['webhook_endpoint_not_found'],
})

export const updateWebhookEndpoint = defineRoute({
  id: 'updateWebhookEndpoint',
  method: 'PATCH',
  path: '/v1/webhook-endpoints/:id',
  callers: { key: 'operations:write' },
  summary: 'Change an endpoint, enable or disable it',
  description:
    'While it is disabled, nothing that happens is queued for it. Enabled again, it gets what waited from before; the rest can be replayed.',
  tags,
  params,
  body: z
    .strictObject({
      url: url.optional(),
      description: description.optional(),
      types: types.optional(),
      enabled: z.boolean().optional().meta({ description: 'Whether anything is sent there.' }),
    })
    .meta({ id: 'WebhookEndpointChange' }),
  answers: { 200: webhookEndpoint },
  problems: ['forbidden', 'webhook_endpoint_not_found', 'webhook_url_refused'],
})

export const deleteWebhookEndpoint = defineRoute({
  id: 'deleteWebhookEndpoint',
  method: 'DELETE',
  path: '/v1/webhook-endpoints/:id',
  callers: { key: 'operations:write' },
  summary: 'Send nothing there any more',
  description: 'What waits for it, and the log of what was sent, go with it.',
  tags,
  params,
  answers: { 200: webhookEndpoint },
  problems: ['webhook_endpoint_not_found'],
})

export const rotateWebhookSecret = defineRoute({
  id: 'rotateWebhookSecret',
  method: 'POST',
  path: '/v1/webhook-endpoints/:id/rotate-secret',
  callers: { key: 'operations:write' },
  summary: 'Replace the secret of an endpoint',
  description:
    'For the overlap messages carry a signature by each secret, so that nothing is lost meanwhile.',
  tags,
  params,
  body: z
    .strictObject({
      overlapHours: z.int().min(0).max(168).default(24).meta({
        description: 'How long the secret before still signs; 0 where it has become known.',
      }),
    })
    .meta({ id: 'SecretRotation' }),
  answers: { 200: withSecret },
  problems: ['forbidden', 'webhook_endpoint_not_found'],
})

export const replayEvents = defineRoute({
  id: 'replayEvents',
  method: 'POST',
  path: '/v1/webhook-endpoints/:id/replay',
  callers: { key: 'operations:write' },
  summary: 'Send events to an endpoint again',
  description:
    'Those that are named, of these types, of this time: by all that is said, and only of what the endpoint wants to know of. Each goes under its own `webhook-id` as before, in the order of what happened. Says what it would do, unless `dryRun` is false.',
  tags,
  params,
  body: z
    .strictObject({
      events: z
        .array(idParam('event'))
        .min(1)
        .max(1000)
        .optional()
        .meta({ description: 'Only these, by their `webhook-id`.' }),
      types: z.array(type).min(1).optional().meta({ description: 'Only events of these types.' }),
      since: instantInput.optional().meta({ description: 'The first moment that is meant.' }),
      until: instantInput.optional().meta({ description: 'The first moment that is not meant any more.' }),
      dryRun: z.boolean().default(true).meta({ description: 'Only says what it would send.' }),
    })
    .meta({ id: 'Replay' }),
  answers: {
    200: z
      .strictObject({
        events: z.int().meta({ description: 'How many are sent.' }),
        deliveredBefore: z.int().meta({ description: 'How many of them the endpoint took before.' }),
        dryRun: z.boolean(),
      })
      .meta({ id: 'ReplayResult' }),
  },
  problems: ['forbidden', 'webhook_endpoint_not_found'],
})
