import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant, instantInput, period } from './instant.ts'
import { quantity } from './quantity.ts'

const measured = z
  .strictObject({
    meter: key,
    unitLabel: z.string(),
    start: instant,
    end: instant,
    quantity: quantity.meta({ description: "By the meter's aggregation." }),
    events: z.int().meta({ description: 'How many events it is made of.' }),
    dimensions: z.record(z.string(), z.string().nullable()).optional().meta({
      description: 'The values that it is kept apart by, where `by` asks for it; null: the events have none.',
    }),
  })
  .meta({ id: 'MeasuredUsage' })

export const readUsage = defineRoute({
  id: 'readUsage',
  method: 'GET',
  path: '/v1/usage',
  callers: { key: 'usage:read', user: 'own customer in query' },
  summary: 'What a customer used',
  description:
    'By the time of the events, from `start` to before `end`; both are widened to whole hours. Hours or days without usage are left out, and there are at most 10,000 of them. A level (`timeWeightedSum`) counts as held to the end of what is asked, as if nothing changed any more.',
  tags: ['Usage'],
  query: z.strictObject({
    customer: idParam('customer'),
    meter: key.optional().meta({ description: 'All meters unless given.' }),
    start: instantInput.optional().meta({ description: "Unless given, the current period's start." }),
    end: instantInput.optional().meta({ description: "Unless given, the current period's end." }),
    groupBy: z
      .enum(['hour', 'day', 'none'])
      .default('none')
      .meta({ description: 'One figure for each hour or day (of UTC), or one for it all.' }),
    by: z.string().max(800).optional().meta({
      description: 'Dimensions of the meter to keep apart, with commas between them: `region,app`.',
    }),
    only: z.string().max(2000).optional().meta({
      description:
        'Only usage with these values: `region:eu,app:web`. A dimension without a colon: what has no value of it.',
    }),
  }),
  answers: {
    200: z
      .strictObject({ customer: id('customer'), period, data: z.array(measured) })
      .meta({ id: 'UsageReport' }),
  },
  problems: ['customer_not_found', 'meter_not_found'],
})
