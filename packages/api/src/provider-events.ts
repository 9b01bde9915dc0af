import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { idParam } from './ids.ts'
import { instant } from './instant.ts'
import { listOf, page } from './pagination.ts'
import { recordedProblem } from './problems.ts'
import { givenName } from './text.ts'

const state = z.enum(['received', 'processed', 'ignored', 'parked']).meta({
  description:
    '`received`: waiting. `ignored`: nothing of ours, or older than what we know. `parked`: tried often enough, a person has to look.',
})

const fields = {
  id: z.string().meta({ description: "The provider's id of the event.", examples: ['evt_1Nv0FGQ9RKHgCVdK'] }),
  provider: z.literal('stripe'),
  type: z.string().meta({ examples: ['invoice.finalized'] }),
  objectType: z.string(),
  objectId: z.string(),
  created: instant.meta({ description: "In the provider's time, which may be a test clock's." }),
  state,
  outcome: z.string().nullable().meta({ description: 'What was done about it.' }),
  attempts: z.int(),
  problem: recordedProblem.nullable(),
  receivedAt: instant,
  processedAt: instant.nullable(),
}

export const providerEvent = z.strictObject(fields).meta({
  id: 'ProviderEvent',
  description: 'An event that a provider sent, once, however often it was delivered.',
})

const params = z.strictObject({ id: idParam('event') })
const tags = ['Operations']

export const listProviderEvents = defineRoute({
  id: 'listProviderEvents',
  method: 'GET',
  path: '/v1/provider-events',
  callers: { key: 'operations:read' },
  summary: 'List what providers sent, newest first',
  tags,
  query: z.strictObject({
    state: state.optional(),
    type: givenName(100)
      .optional()
      .meta({ description: "The provider's name for the kind of event.", examples: ['invoice.finalized'] }),
    object: givenName(100).optional().meta({ description: "The provider's id of the object it is about." }),
    ...page,
  }),
  answers: { 200: listOf('ProviderEvent', providerEvent) },
})

export const readProviderEvent = defineRoute({
  id: 'readProviderEvent',
  method: 'GET',
  path: '/v1/provider-events/:id',
  callers: { key: 'operations:read' },
  summary: 'One event with its payload',
  tags,
  params,
  answers: {
    200: z
      .strictObject({ ...fields, payload: z.record(z.string(), z.unknown()) })
      .meta({ id: 'ProviderEventWithPayload' }),
  },
  problems: ['provider_event_not_found'],
})

export const retryProviderEvent = defineRoute({
  id: 'retryProviderEvent',
  method: 'POST',
  path: '/v1/provider-events/:id/retry',
  callers: { key: 'operations:write' },
  summary: 'Process an event again',
  description:
    'Safe at any time: its object is looked up at the provider, so an old event cannot bring back an old state.',
  tags,
  params,
  answers: { 202: providerEvent },
  problems: ['provider_event_not_found'],
})
