import { type OutgoingEventType, outgoingEventTypes } from '@lockstep/core/outgoing-event'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam } from './ids.ts'
import { instant } from './instant.ts'
import { listOf, page } from './pagination.ts'

const state = z.enum(['waiting', 'delivered', 'failed']).meta({
  description: '`failed`: tried as often as it is tried, about three days long. It can be retried by hand.',
})

const type = z.enum(outgoingEventTypes as [OutgoingEventType, ...OutgoingEventType[]])

const fields = {
  id: id('delivery'),
  endpoint: id('webhook_endpoint'),
  url: z.string().meta({ description: 'Where that endpoint is.' }),
  event: id('event').meta({ description: 'Its `webhook-id`.' }),
  type,
  subject: z.string().meta({ description: 'Our id of what it is about.' }),
  customer: z.string().nullable(),
  happenedAt: instant.meta({ description: "In the customer's own time." }),
  state,
  attempts: z.int().meta({ description: 'Since it was queued, or last retried or replayed.' }),
  lastStatus: z.int().nullable().meta({ description: 'What the endpoint answered; null when nothing.' }),
  nextAttemptAt: instant.nullable().meta({
    description: 'Null: nothing more is sent, or not before its endpoint is enabled again.',
  }),
  deliveredAt: instant.nullable(),
  createdAt: instant,
}

const delivery = z
  .strictObject(fields)
  .meta({ id: 'Delivery', description: 'An event for an endpoint, and what became of it.' })

const attempt = z
  .strictObject({
    at: instant,
    status: z.int().nullable(),
    body: z.string().nullable().meta({ description: 'The beginning of what it answered.' }),
    problem: z.string().nullable().meta({ description: 'Why no answer came.' }),
    durationMs: z.int(),
  })
  .meta({ id: 'DeliveryAttempt' })

const params = z.strictObject({ id: idParam('delivery') })
const tags = ['Operations']

export const listDeliveries = defineRoute({
  id: 'listDeliveries',
  method: 'GET',
  path: '/v1/deliveries',
  callers: { key: 'operations:read' },
  summary: 'What was sent to webhook endpoints, newest first',
  tags,
  query: z.strictObject({
    endpoint: idParam('webhook endpoint').optional(),
    state: state.optional(),
    type: type.optional().meta({ description: 'What the event tells.' }),
    event: idParam('event').optional(),
    customer: idParam('customer').optional(),
    ...page,
  }),
  answers: { 200: listOf('Delivery', delivery) },
})

export const readDelivery = defineRoute({
  id: 'readDelivery',
  method: 'GET',
  path: '/v1/deliveries/:id',
  callers: { key: 'operations:read' },
  summary: 'One delivery, with what was sent and every answer',
  tags,
  params,
  answers: {
    200: z
      .strictObject({
        ...fields,
        data: z.record(z.string(), z.unknown()).nullable().meta({
          description:
            'The object as it stood; null where the key has not the scope that reads such objects.',
        }),
        log: z.array(attempt),
      })
      .meta({ id: 'DeliveryWithLog' }),
  },
  problems: ['delivery_not_found'],
})

export const retryDelivery = defineRoute({
  id: 'retryDelivery',
  method: 'POST',
  path: '/v1/deliveries/:id/retry',
  callers: { key: 'operations:write' },
  summary: 'Send it again, now',
  description: 'Whatever became of it before, under the same `webhook-id`. Its schedule begins anew.',
  tags,
  params,
  answers: { 202: delivery },
  problems: ['delivery_not_found'],
})
