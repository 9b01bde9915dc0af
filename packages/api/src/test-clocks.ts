import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, providerId } from './ids.ts'
import { instant, instantInput } from './instant.ts'
import { listOf, page } from './pagination.ts'
import { freeText } from './text.ts'

export const testClock = z
  .strictObject({
    id: id('test_clock'),
    name: z.string().nullable(),
    frozenTime: instant.meta({ description: "Now, for the clock's customers." }),
    status: z.enum(['ready', 'advancing']),
    target: instant.nullable().meta({ description: 'Where it is heading; null when it stands still.' }),
    providerId: providerId.nullable(),
    createdAt: instant,
  })
  .meta({ id: 'TestClock', description: 'A time of their own for some customers. In test mode only.' })

const params = z.strictObject({ id: idParam('test clock') })
const tags = ['Test clocks']

export const createTestClock = defineRoute({
  id: 'createTestClock',
  method: 'POST',
  path: '/v1/test-clocks',
  callers: { key: 'operations:write' },
  summary: 'Make a test clock',
  tags,
  body: z
    .strictObject({
      frozenTime: instantInput.meta({ description: 'Where it starts.' }),
      name: freeText(100).optional().meta({ description: 'For people.' }),
    })
    .meta({ id: 'NewTestClock' }),
  answers: { 201: testClock },
  problems: ['live_mode_refused'],
})

export const listTestClocks = defineRoute({
  id: 'listTestClocks',
  method: 'GET',
  path: '/v1/test-clocks',
  callers: { key: 'operations:read' },
  summary: 'List test clocks, newest first',
  tags,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('TestClock', testClock) },
})

export const readTestClock = defineRoute({
  id: 'readTestClock',
  method: 'GET',
  path: '/v1/test-clocks/:id',
  callers: { key: 'operations:read' },
  summary: 'One test clock, and how far its advance came',
  tags,
  params,
  answers: { 200: testClock },
  problems: ['test_clock_not_found'],
})

export const advanceTestClock = defineRoute({
  id: 'advanceTestClock',
  method: 'POST',
  path: '/v1/test-clocks/:id/advance',
  callers: { key: 'operations:write' },
  summary: 'Turn a test clock forward',
  description:
    'Stops at every boundary of its customers, takes in what happened there, sends their invoices to the provider, and goes on. Goes on by itself; read the clock to see how far it is.',
  tags,
  params,
  body: z
    .strictObject({ frozenTime: instantInput.meta({ description: 'Where to; later than where it stands.' }) })
    .meta({ id: 'Advance' }),
  answers: { 202: testClock },
  problems: ['test_clock_not_found', 'test_clock_backwards', 'test_clock_busy', 'live_mode_refused'],
})
