import { z } from 'zod'
import { customerFields } from './customers.ts'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant, instantInput } from './instant.ts'
import { listOf, page } from './pagination.ts'
import { recordedProblem } from './problems.ts'
import { address } from './registrations.ts'
import { givenName } from './text.ts'

/**
 * What the message of a new profile has to say, as the `data` of a CloudEvent or as the whole body.
 * It is another service's message: what else stands in it is none of our business and is let pass.
 */
export const profileCreated = z
  .looseObject({
    ...customerFields,
    plan: key.optional().meta({ description: "The catalogue's plan for sign-ups, unless given." }),
    address: address.optional().catch(undefined).meta({
      description: 'For the tax. One that is written otherwise is let pass, as if it were not there.',
    }),
  })
  .meta({ id: 'ProfileCreated' })

const state = z.enum(['received', 'processed', 'parked']).meta({
  description:
    '`received`: waiting, tried again, or its registration is under way. `processed`: done, and its body forgotten. `parked`: it cannot be used, or its registration came to nothing; a person has to look.',
})

export const busMessage = z
  .strictObject({
    id: id('bus_message'),
    subject: z.string().meta({ examples: ['auth.profile.created'] }),
    source: z.string().meta({ description: 'Who sent it.' }),
    messageId: z.string().meta({ description: "The sender's id. A repetition carries the same." }),
    state,
    outcome: z.string().nullable().meta({ description: 'What was done, or is being done, about it.' }),
    registration: id('registration').nullable(),
    attempts: z.int(),
    problem: recordedProblem.nullable(),
    sentAt: instant.nullable(),
    receivedAt: instant,
    processedAt: instant.nullable(),
  })
  .meta({ id: 'BusMessage', description: 'A message that the bus delivered, once, however often it came.' })

const params = z.strictObject({ id: idParam('bus message') })
const tags = ['Operations']

export const listBusMessages = defineRoute({
  id: 'listBusMessages',
  method: 'GET',
  path: '/v1/bus-messages',
  callers: { key: 'operations:read' },
  summary: 'List what the message bus delivered, newest first',
  tags,
  query: z.strictObject({ state: state.optional(), ...page }),
  answers: { 200: listOf('BusMessage', busMessage) },
})

export const readBusMessage = defineRoute({
  id: 'readBusMessage',
  method: 'GET',
  path: '/v1/bus-messages/:id',
  callers: { key: 'operations:read' },
  summary: 'One message',
  tags,
  params,
  answers: { 200: busMessage },
  problems: ['bus_message_not_found'],
})

export const retryBusMessage = defineRoute({
  id: 'retryBusMessage',
  method: 'POST',
  path: '/v1/bus-messages/:id/retry',
  callers: { key: 'operations:write' },
  summary: 'Look at a parked message again',
  description:
    'Safe at any time: a message leads to one subscription, however often it is looked at; after a registration that came to nothing it begins another. A processed one is answered as it is.',
  tags,
  params,
  answers: { 202: busMessage },
  problems: ['bus_message_not_found'],
})

export const publishBusMessage = defineRoute({
  id: 'publishBusMessage',
  method: 'POST',
  path: '/v1/bus-messages',
  callers: { key: 'operations:write' },
  summary: 'Publish a message of a new profile',
  description:
    'Hands a CloudEvent to the bus, as the service that owns profiles would. An installation without a bus keeps it at once. The same `source` and `id` count once, for ever.',
  tags,
  body: z
    .strictObject({
      specversion: z.literal('1.0').meta({ description: 'Of CloudEvents.' }),
      id: givenName(200).meta({ description: 'Unique for its source: the same counts once.' }),
      source: givenName(200).meta({ description: 'Who tells it.', examples: ['auth'] }),
      type: givenName(200).meta({ description: 'What happened.', examples: ['auth.profile.created'] }),
      time: instantInput.optional().meta({ description: 'When it happened, by the clock of its source.' }),
      data: profileCreated,
    })
    .meta({ id: 'ProfileMessage' }),
  // The message has an identity of its own.
  idempotent: false,
  answers: { 202: z.strictObject({ accepted: z.literal(true) }).meta({ id: 'Accepted' }) },
})
