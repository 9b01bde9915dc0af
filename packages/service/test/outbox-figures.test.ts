import { expect, test } from 'vitest'
import { createMetrics } from '../src/metrics.ts'
import { showOutbox } from '../src/outbox/figures.ts'
import { mortalConnection } from './support/mortal.ts'
import { newOutboxWorld } from './support/outbox-world.ts'
import { newReceiver } from './support/receiver.ts'
import { shared } from './support/shared.ts'

const world = await shared(newOutboxWorld())

test('a scrape reads the outbox once for all its figures', async () => {
  const app = await newReceiver()
  await world.endpoint(app)
  app.answers(500)
  await world.ask('POST', '/v1/customers', { externalId: 'user_1', name: 'Ada', email: 'ada@example.org' })
  await world.tell()
  world.wall.time += 90
  await world.ask('POST', '/v1/customers', { externalId: 'user_2', name: 'Bob', email: 'bob@example.org' })

  // A connection and a statement, and no more.
  const { db, close, died } = mortalConnection(world.url, 2)
  const metrics = createMetrics()
  showOutbox({ db, clock: world.deps.clock, metrics })
  const text = await metrics.registry.metrics()
  expect(died()).toBe(false)
  expect(text).toContain('lockstep_outbox{what="unmade"} 1')
  expect(text).toContain('lockstep_outbox{what="waiting"} 1')
  expect(text).toContain('lockstep_outbox{what="failed"} 0')
  expect(text).toContain('lockstep_outbox_age_seconds 90')
  await close()
  await app.close()
})
