import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { idParam } from './ids.ts'
import { instant, instantInput } from './instant.ts'
import { cursor, listOf, page } from './pagination.ts'
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
    outcome: givenName(50)
      .optional()
      .meta({ description: 'What was done about it.', examples: ['needs_mapping'] }),
    receivedFrom: instantInput.optional().meta({ description: 'Received then or later.' }),
    receivedBefore: instantInput.optional().meta({ description: 'Received earlier than that.' }),
    ...page,
    after: cursor(/^\d{1,12}\..+$/),
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
      .strictObject({
        ...fields,
        payload: z.record(z.string(), z.unknown()).nullable().meta({
          description: 'Null where the key has not all scopes that read: it may hold anything of a customer.',
        }),
      })
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

export const replayProviderEvents = defineRoute({
  id: 'replayProviderEvents',
  method: 'POST',
  path: '/v1/provider-event-replays',
  callers: { key: 'operations:write' },
  summary: 'Process many events again',
  description:
    'Those that every filter given names, and that do not wait already. A dry run unless told otherwise. Safe at any time, like one of them.',
  tags,
  body: z
    .strictObject({
      ids: z
        .array(givenName(100))
        .min(1)
        .max(1000)
        .optional()
        .meta({ description: 'These events, by the ids of the provider.' }),
      type: givenName(100).optional().meta({ description: "The provider's name for the kind of event." }),
      object: givenName(100).optional().meta({ description: "The provider's id of the object it is about." }),
      state: z.enum(['processed', 'ignored', 'parked']).optional().meta({ description: 'Where it stands.' }),
      outcome: givenName(50)
        .optional()
        .meta({ description: 'What was done about it.', examples: ['needs_mapping'] }),
      receivedFrom: instantInput.optional().meta({ description: 'Received then or later.' }),
      receivedBefore: instantInput.optional().meta({ description: 'Received earlier than that.' }),
      dryRun: z.boolean().default(true).meta({ description: 'Only say how many there are.' }),
    })
    // `dryRun` is always there, and names none.
    .refine((body) => Object.values(body).filter((value) => value !== undefined).length > 1, {
      error: 'Name at least one of ids, type, object, state, outcome, receivedFrom, receivedBefore.',
    })
    .meta({ id: 'ProviderEventReplayRequest' }),
  answers: {
    200: z
      .strictObject({
        dryRun: z.boolean(),
        events: z.int().meta({ description: 'How many wait now, or would.' }),
        objects: z.int().meta({ description: 'Of how many objects: each is looked at once.' }),
      })
      .meta({ id: 'ProviderEventReplay' }),
  },
})
