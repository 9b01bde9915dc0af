import { expect, test } from 'vitest'
import { transaction } from '../src/postgres/transaction.ts'
import { insertEvent } from '../src/store/provider-events.ts'
import { distrust, recordPayload } from '../src/store/provider-objects.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// Events have a resolution of one second. Of those that share one, what each says was before it tells the order.

const world = await shared(newBillingWorld())

const LOOK = 'GET /v1/subscriptions/:id'

/** Looks at a subscription that was changed in three steps of one second, each told when the one before is settled. */
async function heardOneByOne(order: readonly number[]): Promise<{ looks: number; steps: unknown[] }> {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-01-11T00:00:00Z')
  await world.newEvents()
  for (const step of ['1', '2', '3'])
    await world.stripe.subscriptions.update(payer.subscription, { metadata: { step } })
  const events = await world.newEvents()
  expect(new Set(events.map(({ type, created }) => `${type} ${created}`)).size).toBe(1)
  const steps: unknown[] = []
  const calls = await world.requests(async () => {
    for (const i of order) {
      await world.receive(events[i] ?? {})
      await world.drain()
      const { rows } = await world.pool.query('select raw from provider_object where id = $1', [
        payer.subscription,
      ])
      steps.push(rows[0]?.raw.metadata.step)
    }
  })
  return { looks: calls.filter((call) => call === LOOK).length, steps }
}

test.each([
  // The step between two is missing: which of them came first is looked up, and then all of it is known.
  { order: [0, 1, 2], looks: 0, steps: ['1', '2', '3'] },
  { order: [0, 2, 1], looks: 1, steps: ['1', '3', '3'] },
  { order: [1, 0, 2], looks: 0, steps: ['2', '2', '3'] },
  { order: [1, 2, 0], looks: 0, steps: ['2', '3', '3'] },
  { order: [2, 0, 1], looks: 1, steps: ['3', '3', '3'] },
  { order: [2, 1, 0], looks: 0, steps: ['3', '3', '3'] },
])('three changes of one second, heard of as $order', async ({ order, looks, steps }) => {
  expect(await heardOneByOne(order)).toEqual({ looks, steps })
})

// Of one second each: created, finalized, paid and updated; finalized, updated and failed.
test.each(['in order', 'backwards'] as const)(
  'a renewal that fails and is paid a day later is not looked up, heard of %s',
  async (how) => {
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.deliver()
    const { customer, subscription } = payer
    const failing = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
    await world.stripe.subscriptions.update(subscription, { default_payment_method: failing.id })
    await world.turn(payer, '2026-02-10T02:00:00Z')
    const failed = await world.newEvents()
    await world.turn(payer, '2026-02-11T00:00:00Z')
    const good = await world.stripe.paymentMethods.attach('pm_card_visa', { customer })
    const [open] = (await world.stripe.invoices.list({ customer, status: 'open' })).data
    await world.stripe.invoices.pay(open?.id ?? '', { payment_method: good.id })
    const paid = await world.newEvents()
    const calls = await world.requests(async () => {
      for (const events of [failed, paid]) {
        const told = events.filter(
          ({ type }) => type.startsWith('customer.subscription') || type.startsWith('invoice'),
        )
        for (const event of how === 'in order' ? told : told.toReversed()) await world.receive(event)
        await world.drain()
      }
    })
    expect(calls.filter((call) => call === 'GET /v1/invoices/:id' || call === LOOK)).toEqual([])
    expect(await world.story(payer)).toContain('2026-01-10 … 2026-02-10 subscription_cycle paid 2000')
  },
)

// The event of another API version is asked about, and shows something else than the answer. The next one shows what is answered about it.
test('an answer that the newest event shows too is no reason to ask about the next one', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const looks: number[] = []
  for (const day of ['11', '12', '13', '14']) {
    await world.turn(payer, `2026-01-${day}T00:00:00Z`)
    await world.newEvents()
    await world.stripe.subscriptions.update(payer.subscription, { metadata: { day } })
    const [event, ...others] = await world.newEvents()
    expect([event?.type, others]).toEqual(['customer.subscription.updated', []])
    const old = {
      api_version: '2024-06-20',
      data: { object: { id: payer.subscription, object: 'subscription' } },
    }
    const calls = await world.requests(async () => {
      await world.receive(day === '11' ? { ...event, ...old } : (event ?? {}))
      await world.drain()
    })
    looks.push(calls.filter((call) => call === LOOK).length)
  }
  expect(looks).toEqual([1, 1, 0, 0])
  const { rows } = await world.pool.query('select raw from provider_object where id = $1', [
    payer.subscription,
  ])
  expect(rows[0]?.raw.metadata.day).toBe('14')
})

test('what comes last of its second is written over another of it only if no more of them are known, and nothing of ours came since', async () => {
  const { db } = world
  const at = world.wall.time
  const object = { type: 'customer', id: 'cus_tied' }
  const hear = async (id: string, name: string) => {
    const payload = JSON.stringify({ data: { object: { id: object.id, name } } })
    const head = { type: 'customer.updated', objectType: object.type, objectId: object.id, livemode: false }
    const aside = { state: 'processed', outcome: 'recorded' } as const
    const observation = await insertEvent(db, {
      ...{ ...head, id, created: at, apiVersion: null, payload, setAside: aside, at },
    })
    return { ...object, eventId: id, eventCreated: at, observation: observation ?? 0n, at }
  }
  const record = (seen: Awaited<ReturnType<typeof hear>>, ofSecond?: number) =>
    transaction(db, (trx) => recordPayload(trx, { ...seen, ofSecond }))
  const [first, second] = [await hear('evt_tied_1', 'Ada'), await hear('evt_tied_2', 'Eda')]
  expect(await record(first)).toBe(true)
  expect(await record(second)).toBe(false)
  expect(await record(second, 1)).toBe(false)
  expect(await record(second, 2)).toBe(true)
  const third = await hear('evt_tied_3', 'Ida')
  expect(await record(first, 2)).toBe(false)
  await transaction(db, (trx) => distrust(trx, object))
  expect(await record(third, 3)).toBe(false)
  const { rows } = await world.pool.query('select raw, observation from provider_object where id = $1', [
    object.id,
  ])
  expect(rows).toEqual([{ raw: { id: object.id, name: 'Eda' }, observation: second.observation }])
})
