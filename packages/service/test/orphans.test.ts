import { formatInstant } from '@lockstep/core/instant'
import type Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backupOf } from '../../../test/support/database.ts'
import { newSimulator } from '../../../test/support/simulator.ts'
import { orphanRoutes } from '../src/http/routes/orphans.ts'
import { smallCatalog } from './support/catalogs.ts'
import { type Installation, newInstallation, onDatabase } from './support/installation.ts'

const simulator: Simulator = await newSimulator()
afterAll(() => simulator.close())

/** Installations of one test, all on the one account. */
const installations: Installation[] = []
let one: Installation

async function newOne(): Promise<Installation> {
  const made = await newInstallation(simulator, smallCatalog)
  orphanRoutes(made.app, made.deps)
  installations.push(made)
  return made
}
beforeEach(async () => {
  one = await newOne()
})
afterEach(() => Promise.all(installations.splice(0).map((made) => made.close())))

let users = 0
async function register({ ask }: Installation, plan: 'team' | 'free' = 'team') {
  users += 1
  const payment = plan === 'team' ? { paymentMethod: 'pm_card_visa' } : {}
  const { status, body } = await ask('POST', '/v1/registrations', {
    externalId: `user_${users}`,
    plan,
    ...payment,
  })
  expect(status).toBe(201)
  const { id, customer, subscription } = body as { id: string; customer: string; subscription: string }
  return { id, customer, subscription, ...(await linked(customer, subscription)) }
}

async function linked(customer: string, subscription: string) {
  const { rows } = await one.database.pool.query<{ entity_id: string; provider_id: string }>(
    'select entity_id, provider_id from mapping where entity_id = any($1)',
    [[customer, subscription]],
  )
  const at = (id: string) => rows.find(({ entity_id }) => entity_id === id)?.provider_id ?? ''
  return { customerAtStripe: at(customer), subscriptionAtStripe: at(subscription) }
}

const sql = ({ database }: Installation, text: string, values: unknown[] = []) =>
  database.pool.query(text, values)
const unlink = (made: Installation, entityId: string) =>
  sql(made, 'delete from mapping where entity_id = $1', [entityId])

interface Found {
  readonly providerId: string
  readonly verdict: string
  readonly reason: string
}
async function sweep({ ask }: Installation, dryRun = false): Promise<{ looked: number; orphans: Found[] }> {
  const { status, body } = await ask('POST', '/v1/orphan-sweeps', { dryRun })
  expect(status).toBe(200)
  return body as never
}
const verdicts = ({ orphans }: { orphans: readonly Found[] }) =>
  orphans.map(({ providerId, verdict }) => [providerId, verdict])

const stripe = (): Stripe => one.deps.provider.stripe
const statusOf = async (id: string) => (await stripe().subscriptions.retrieve(id)).status

test('where every object has its row there are none', async () => {
  await register(one)
  expect(await sweep(one)).toMatchObject({ looked: 2, orphans: [] })
})

test('a customer and a subscription whose links are gone get them back', async () => {
  const { customer, subscription, customerAtStripe, subscriptionAtStripe } = await register(one)
  await unlink(one, customer)
  await unlink(one, subscription)

  const preview = await sweep(one, true)
  expect(verdicts(preview)).toEqual([
    [customerAtStripe, 'adopt'],
    [subscriptionAtStripe, 'adopt'],
  ])
  expect(await linked(customer, subscription)).toEqual({ customerAtStripe: '', subscriptionAtStripe: '' })

  expect(verdicts(await sweep(one))).toEqual(verdicts(preview))
  expect(await linked(customer, subscription)).toEqual({ customerAtStripe, subscriptionAtStripe })
  expect((await sweep(one)).orphans).toEqual([])
  expect(await statusOf(subscriptionAtStripe)).toBe('active')
})

describe('a registration that was undone here, and whose subscription stayed at Stripe', () => {
  async function undone(plan: 'team' | 'free') {
    const registered = await register(one, plan)
    await sql(one, `update workflow set state = 'rolledBack' where subject_id = $1`, [registered.id])
    await unlink(one, registered.subscription)
    return registered
  }

  test('is taken back where nobody paid', async () => {
    const { subscriptionAtStripe } = await undone('free')
    expect(verdicts(await sweep(one))).toEqual([[subscriptionAtStripe, 'remove']])
    expect(await statusOf(subscriptionAtStripe)).toBe('canceled')
    expect((await sweep(one)).orphans).toMatchObject([{ verdict: 'leave' }])
  })

  test('is put before a person where somebody paid', async () => {
    const { subscriptionAtStripe } = await undone('team')
    expect(verdicts(await sweep(one))).toEqual([[subscriptionAtStripe, 'park']])
    expect(await statusOf(subscriptionAtStripe)).toBe('active')
    const { body } = await one.ask('GET', '/v1/orphans?state=parked')
    expect(body).toMatchObject({ data: [{ providerId: subscriptionAtStripe, type: 'subscription' }] })
  })

  test('names its customer, and since when it is there', async () => {
    const { customer, customerAtStripe, subscriptionAtStripe } = await undone('team')
    const { created } = await stripe().subscriptions.retrieve(subscriptionAtStripe)
    const whose = {
      ...{ providerId: subscriptionAtStripe, customer, externalId: `user_${users}` },
      ...{ providerCustomer: customerAtStripe, madeAt: formatInstant(created) },
    }
    expect((await sweep(one)).orphans).toMatchObject([whose])
    const { body } = await one.ask('GET', '/v1/orphans?state=parked')
    expect(body.data).toMatchObject([whose])
    // Found by a version that did not keep it: the next sweep says it.
    await sql(one, 'update orphan set customer_id = null, provider_customer_id = null, made_at = null')
    expect((await one.ask('GET', '/v1/orphans')).body.data).toMatchObject([
      { customer: null, externalId: null, providerCustomer: null, madeAt: null },
    ])
    await sweep(one)
    expect((await one.ask('GET', '/v1/orphans')).body.data).toMatchObject([whose])
  })

  test('is looked at again, however old it is', async () => {
    const { id, subscriptionAtStripe } = await undone('team')
    await sweep(one)
    await sql(one, `update installation set orphans_swept_to = now() + interval '1 year'`)
    await sql(one, `update workflow set state = 'completed' where subject_id = $1`, [id])
    expect(verdicts(await sweep(one))).toEqual([[subscriptionAtStripe, 'adopt']])
  })
})

describe('what was parked is closed by the next sweep when a person has', () => {
  const statesOf = async () => {
    const { body } = await one.ask('GET', '/v1/orphans')
    return (body.data as { providerId: string; state: string }[]).map(({ state }) => state)
  }
  async function parkedOne() {
    const registered = await register(one)
    await sql(one, `update workflow set state = 'rolledBack' where subject_id = $1`, [registered.id])
    await unlink(one, registered.subscription)
    await sweep(one)
    expect(await statesOf()).toEqual(['parked'])
    return registered
  }

  test('ended it at Stripe', async () => {
    const { subscriptionAtStripe } = await parkedOne()
    await stripe().subscriptions.cancel(subscriptionAtStripe)
    await sweep(one, true)
    expect(await statesOf()).toEqual(['parked'])
    expect(verdicts(await sweep(one))).toEqual([[subscriptionAtStripe, 'leave']])
    expect(await statesOf()).toEqual(['left'])
  })

  test('linked it', async () => {
    const { subscription, subscriptionAtStripe } = await parkedOne()
    await sql(
      one,
      `insert into mapping (entity_type, entity_id, provider, provider_account, livemode, provider_type, provider_id, origin, created_at)
       select 'subscription', $1, provider, provider_account, livemode, 'subscription', $2, 'link', now()
       from mapping where entity_type = 'customer'`,
      [subscription, subscriptionAtStripe],
    )
    expect((await sweep(one)).orphans).toEqual([])
    expect(await statesOf()).toEqual(['adopted'])
  })

  test('deleted it', async () => {
    const { customer, customerAtStripe } = await register(one)
    // A backup that does not know the customer.
    await sql(one, `update mapping set entity_id = 'customer_unknown' where entity_id = $1`, [customer])
    await unlink(one, 'customer_unknown')
    const { metadata } = (await stripe().customers.retrieve(customerAtStripe)) as Stripe.Customer
    await stripe().customers.update(customerAtStripe, {
      metadata: { ...metadata, lockstep_customer: 'customer_unknown' },
    })
    expect(verdicts(await sweep(one))).toEqual([[customerAtStripe, 'park']])
    await stripe().customers.del(customerAtStripe)
    await sweep(one)
    expect(await statesOf()).toEqual(['left'])
  })
})

test('what a workflow is at work on is left to it', async () => {
  const { id, subscription, subscriptionAtStripe } = await register(one)
  await sql(one, `update workflow set state = 'running', ended_at = null where subject_id = $1`, [id])
  await unlink(one, subscription)
  expect(verdicts(await sweep(one))).toEqual([[subscriptionAtStripe, 'wait']])
})

test('a second subscription of one registration is for a person to end', async () => {
  const { customerAtStripe, subscriptionAtStripe } = await register(one, 'free')
  const { metadata, items } = await stripe().subscriptions.retrieve(subscriptionAtStripe)
  const [item] = items.data
  const second = await stripe().subscriptions.create({
    customer: customerAtStripe,
    items: [{ price: item?.price.id ?? '' }],
    metadata,
  })
  expect(verdicts(await sweep(one))).toEqual([[second.id, 'park']])
  expect(await statusOf(second.id)).toBe('active')
})

test('a database set back to yesterday touches nothing that was made since', async () => {
  const before = await register(one)
  const backup = await backupOf(one.database)
  const since = await register(one)

  const restored = await onDatabase(backup, { ...one.deps, db: backup.db, pool: backup.pool })
  installations.push(restored)
  orphanRoutes(restored.app, restored.deps)
  const swept = await sweep(restored)
  expect(verdicts(swept)).toEqual([
    [since.customerAtStripe, 'park'],
    [since.subscriptionAtStripe, 'park'],
  ])
  expect(swept.orphans[0]?.reason).toMatch(/set back/)
  // Nobody here knows whose they are; the provider does.
  const nobody = { customer: null, externalId: null, providerCustomer: since.customerAtStripe }
  expect(swept.orphans).toMatchObject([nobody, nobody])
  expect(await statusOf(since.subscriptionAtStripe)).toBe('active')
  expect(await statusOf(before.subscriptionAtStripe)).toBe('active')
  expect(await stripe().customers.retrieve(since.customerAtStripe)).not.toHaveProperty('deleted')
  // The user who is unknown now registers again: a customer of its own, and the first one stays as it is.
  const again = await restored.ask('POST', '/v1/registrations', { externalId: `user_${users}`, plan: 'free' })
  expect(again).toMatchObject({ status: 201, body: { state: 'completed' } })
  expect(again.body.customer).not.toBe(since.customer)
  expect(await statusOf(since.subscriptionAtStripe)).toBe('active')
})

test('two installations on one account leave each other alone', async () => {
  const two = await newOne()
  const ours = await register(one)
  // Everything of the second one looks undone to a careless eye: no row of the first one knows it.
  const { body } = await two.ask('POST', '/v1/registrations', { externalId: 'theirs', plan: 'free' })
  const before = await stripe()
    .subscriptions.list({ limit: 100, status: 'all' })
    .autoPagingToArray({ limit: 1000 })
  expect(await sweep(one)).toMatchObject({ looked: 2, orphans: [] })
  expect(await sweep(two)).toMatchObject({ looked: 2, orphans: [] })
  const after = await stripe()
    .subscriptions.list({ limit: 100, status: 'all' })
    .autoPagingToArray({ limit: 1000 })
  expect(after).toEqual(before)
  expect([await statusOf(ours.subscriptionAtStripe), body.state]).toEqual(['active', 'completed'])
})

test('on test clocks, too, and page by page', async () => {
  const { ask } = one
  const clock = await ask('POST', '/v1/test-clocks', { frozenTime: '2020-02-29T00:00:00Z' })
  const { body } = await ask('POST', '/v1/registrations', {
    externalId: 'long_ago',
    plan: 'team',
    paymentMethod: 'pm_card_visa',
    testClock: clock.body.id,
  })
  const { customer, subscription } = body as { customer: string; subscription: string }
  const at = await linked(customer, subscription)
  await sweep(one)
  await unlink(one, customer)
  expect(verdicts(await sweep(one))).toEqual([[at.customerAtStripe, 'adopt']])
  for (let n = 0; n < 101; n += 1)
    await stripe().customers.create({
      metadata: { lockstep_instance: one.deps.provider.instance, lockstep_customer: `customer_${n}` },
    })
  expect(verdicts(await sweep(one))).toHaveLength(101)
  const first = await ask('GET', '/v1/orphans?state=parked&limit=100')
  const next = await ask('GET', `/v1/orphans?state=parked&limit=100&after=${first.body.nextCursor}`)
  expect([first.body.data, next.body.data].map((data) => (data as unknown[]).length)).toEqual([100, 1])
})

test('a provider that is away ends the sweep, and the next one begins where it did', async () => {
  const { customer, customerAtStripe } = await register(one)
  await unlink(one, customer)
  simulator.control.fail({ kind: 'error_500', method: 'GET', path: '/v1/subscriptions', times: 20 })
  const { status } = await one.ask('POST', '/v1/orphan-sweeps', { dryRun: false })
  expect(status).toBe(503)
  simulator.control.clearFaults()
  expect(verdicts(await sweep(one))).toEqual([[customerAtStripe, 'adopt']])
})
