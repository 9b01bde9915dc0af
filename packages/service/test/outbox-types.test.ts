import { afterEach, beforeEach, expect, test } from 'vitest'
import { replayEvents } from '../src/store/event-replays.ts'
import { newOutboxWorld } from './support/outbox-world.ts'
import { newReceiver, type Receiver } from './support/receiver.ts'
import { shared } from './support/shared.ts'

let app: Receiver
const world = await shared(newOutboxWorld())
beforeEach(async () => {
  app = await newReceiver()
  await world.endpoint(app)
})
afterEach(async () => {
  await app.close()
  await world.db.deleteFrom('webhookEndpoint').execute()
})

const toldOf = (noun: string) =>
  app.received
    .filter(({ body }) => body.type.startsWith(`${noun}.`))
    .map(({ body }) => `${body.type} ${body.data.status}`)

test('a trial that ends with a card that fails is told as it goes', async () => {
  const payer = await world.register('trying', '2026-01-10T00:00:00Z', {
    paymentMethod: 'pm_card_chargeCustomerFail',
  })
  await world.deliver()
  await world.turn(payer, '2026-01-22T00:00:00Z')
  await world.deliver()
  await world.tell()
  expect(toldOf('subscription')).toEqual([
    'subscription.started trialing',
    'subscription.trial_ending trialing',
  ])
  // The draft of the first paid period is finalized an hour after the trial's end on the 24th, and its charge fails.
  await world.turn(payer, '2026-01-24T02:00:00Z')
  await world.deliver()
  await world.tell()
  expect(toldOf('subscription')).toContain('subscription.past_due past_due')
  expect(
    toldOf('invoice')
      .filter((told) => told.endsWith(' open'))
      .toSorted(),
  ).toEqual(['invoice.finalized open', 'invoice.payment_failed open'])

  // Looked at again, the events say nothing new.
  const told = app.received.length
  const { events } = await replayEvents(world.db, { type: 'invoice.payment_failed' }, world.deps.clock.now())
  expect(events).toBe(1)
  await world.deliver()
  await world.tell()
  expect(app.received.length).toBe(told)
})

test('money that is given back is told of', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const { invoice } = await world.read(payer, 'paid')
  const { body } = await world.ask('POST', `/v1/invoices/${invoice.id}/refunds?dryRun=false`, {
    amount: '7.50',
  })
  await world.deliver()
  await world.tell()
  const refund = app.received.find(({ body: { type } }) => type === 'refund.created')
  expect(refund?.body.data).toMatchObject({ id: body.id, amount: { amount: '7.50', currency: 'usd' } })
})

test('an add-on that is put on or taken off is told of', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.tell()
  const backup = { addon: 'backup', version: 1, quantity: 1 }
  for (const addons of [[backup], []])
    await world.pool.query('update subscription set addons = $2 where id = $1', [
      payer.subscriptionId,
      JSON.stringify(addons),
    ])
  await world.tell()
  const changed = app.received.filter(({ body: { type } }) => type === 'subscription.changed')
  expect(changed.map(({ body }) => body.data.addons)).toEqual([[backup], []])
})

test('a customer who is deleted at Stripe, and one there again, is told of; in their own time, as is who is new', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.stripe.customers.del(payer.customer)
  await world.deliver()
  const known = { paymentMethod: 'pm_card_visa' }
  const again = await world.registerAlso(payer, 'plain', 'default', known)
  await world.tell()
  const told = app.received.filter(({ body }) => body.data.id === payer.customerId)
  const story = told.map(({ body }) => [body.type, body.timestamp, body.data.providerId])
  expect(story).toEqual([
    ['customer.created', '2026-01-10T00:00:00Z', again.customer],
    ['customer.deleted_at_provider', '2026-01-20T00:00:00Z', null],
    ['customer.updated', '2026-01-20T00:00:00Z', again.customer],
  ])
  expect(told.map(({ body }) => typeof body.data.deletedAtProvider)).toEqual(['object', 'string', 'object'])
  const { body: shown } = await world.ask('GET', `/v1/customers/${payer.customerId}`)
  expect(told.at(-1)?.body.data).toEqual(shown)
})
