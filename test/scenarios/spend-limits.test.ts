import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import cloudHost from '../../examples/cloud-host/catalog.ts'
import { newWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())

// Each of these states lasts once it is there.
const patience = { timeout: 60_000, interval: 100 }

test('a cap that is reached just before the process dies is told of after its start, once', async () => {
  const { client } = world
  await client.catalog.apply(catalogDocumentOf(cloudHost))
  const signedUp = await client.registrations.create({
    ...{ externalId: 'ada', plan: 'cloud-host', paymentMethod: 'pm_card_visa' },
  })
  await client.registrations.ended(signedUp.id)
  const { customer } = signedUp
  await vi.waitFor(async () => {
    const { subscriptions } = await client.customers.billing(customer)
    expect(subscriptions[0]?.currentInvoice).not.toBeNull()
  }, patience)
  await client.spendLimits.set(customer, { cap: '1.44', alertPercents: [50], owner: 'customer' })

  const time = new Date().toISOString()
  const usage = { source: 'test', type: 'compute_seconds', subject: 'ada', time }
  // Half of 1.44 by 50,000 seconds of 0.0000144.
  await client.usage.send([{ ...usage, id: '1', data: { quantity: '50000' } }])
  const reached = async () =>
    (await client.spendLimits.alerts(customer).page()).data.map(
      ({ kind, at, spent }) => `${kind} ${at} at ${spent}`,
    )
  await vi.waitFor(async () => expect(await reached()).toEqual(['alert 0.72 at 0.72']), patience)

  await client.usage.send([{ ...usage, id: '2', data: { quantity: '50000' } }])
  await world.kill()
  await world.start()
  const capped = ['cap 1.44 at 1.44', 'alert 0.72 at 0.72']
  await vi.waitFor(async () => expect(await reached()).toEqual(capped), patience)
  await client.usage.send([{ ...usage, id: '3', data: { quantity: '50000' } }])
  await vi.waitFor(async () => {
    const { rows } = await world.db.query(
      'select bool_and(limits_checked) as done from invoice where finalized_at is null',
    )
    expect(rows).toEqual([{ done: true }])
  }, patience)
  expect(await reached()).toEqual(capped)
  const { data } = await client.entitlements.read({ customer: 'ada' })
  expect(data.find(({ feature }) => feature === 'transfer')).toMatchObject({
    allowed: false,
    reason: 'used_up',
  })
  expect(data.find(({ feature }) => feature === 'private_network')).toMatchObject({ allowed: true })
})
