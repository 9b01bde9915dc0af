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

test('of an endpoint that is disabled nothing waits: no age grows, and nothing is said to come next', async () => {
  // What is left of before is told to nobody new.
  await world.tell()
  const app = await newReceiver()
  const { id } = await world.endpoint(app)
  app.answers(500)
  await world.ask('POST', '/v1/customers', { externalId: 'user_3', name: 'Eve', email: 'eve@example.org' })
  await world.tell()
  await world.ask('PATCH', `/v1/webhook-endpoints/${id}`, { enabled: false })
  world.wall.time += 3600
  const metrics = createMetrics()
  showOutbox({ ...world.deps, metrics })
  const deliveries = async () => {
    const { body } = await world.ask<{
      data: { url: string; state: string; nextAttemptAt: string | null }[]
    }>('GET', `/v1/deliveries?endpoint=${id}`)
    return body.data
  }
  await world.db.deleteFrom('webhookEndpoint').where('id', '<>', id).execute()
  expect(await metrics.registry.metrics()).toContain('lockstep_outbox{what="waiting"} 0')
  expect(await metrics.registry.metrics()).toContain('lockstep_outbox_age_seconds 0')
  expect(await deliveries()).toMatchObject([{ url: app.url, state: 'waiting', nextAttemptAt: null }])
  // Enabled again, it goes on.
  await world.ask('PATCH', `/v1/webhook-endpoints/${id}`, { enabled: true })
  expect(await metrics.registry.metrics()).toContain('lockstep_outbox{what="waiting"} 1')
  expect((await deliveries())[0]?.nextAttemptAt).not.toBeNull()
  await app.close()
})
