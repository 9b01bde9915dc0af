import { aggregations } from '@lockstep/core/meter'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { key } from './ids.ts'
import { instant } from './instant.ts'
import { listOf, page } from './pagination.ts'
import { givenName } from './text.ts'

export const aggregation = z.enum(aggregations).meta({
  description:
    'How one quantity is made of the events of a period: how many, their sum, the largest, the latest, how many different values of a property, or a level that the events change, held second by second.',
})

/** What a meter says beyond its aggregation. */
export const meterRules = {
  property: givenName(250)
    .optional()
    .meta({ description: "Of an event's data: whose different values a `unique` meter counts." }),
  filter: z
    .record(z.string().min(1).max(250), z.array(z.string().max(250)).min(1).max(100))
    .optional()
    .meta({ description: 'Only events with one of these values under each of these names count.' }),
  dimensions: z
    .array(givenName(250))
    .min(1)
    .max(3)
    .optional()
    .meta({ description: "Of an event's data: by the values of these properties usage is kept apart too." }),
}

export const meter = z
  .strictObject({
    key: key.meta({ description: "A usage event's `type`." }),
    name: z.string(),
    unitLabel: z.string().meta({ examples: ['second'] }),
    aggregation,
    ...meterRules,
    createdAt: instant,
  })
  .meta({ id: 'Meter', description: 'What is measured.' })

const tags = ['Catalogue']

export const listMeters = defineRoute({
  id: 'listMeters',
  method: 'GET',
  path: '/v1/meters',
  callers: { key: 'catalog:read' },
  summary: 'List meters by key',
  tags,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('Meter', meter) },
})

export const readMeter = defineRoute({
  id: 'readMeter',
  method: 'GET',
  path: '/v1/meters/:key',
  callers: { key: 'catalog:read' },
  summary: 'One meter',
  tags,
  params: z.strictObject({ key: givenName(100).meta({ description: "The meter's key." }) }),
  answers: { 200: meter },
  problems: ['meter_not_found'],
})
