import { expect, test } from 'vitest'
import { subscriptionStartRoutes } from '../src/http/routes/subscription-starts.ts'
import { subscriptionRoutes } from '../src/http/routes/subscriptions.ts'
import { newId } from '../src/ids.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world)
const parts = { ...world.deps, workflows: world.workflows }
subscriptionRoutes(server.app, parts)
subscriptionStartRoutes(server.app, parts)

interface Body {
  readonly id: string
  readonly code: string
  readonly status: string
  readonly plan: string
  readonly customer: string
  readonly errors: readonly { pointer: string; code: string }[]
  readonly data: readonly { id: string; customer: string }[]
  readonly nextCursor: string | null
}

async function ask(method: 'GET' | 'POST', url: string, payload?: object, key?: string) {
  const { status, body } = await server.call({
    ...{ method, url },
    ...(payload && { payload }),
    ...(key !== undefined && { key }),
  })
  return { status, body: body as Body }
}

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

test('lists by how a subscription stands: ending, in grace, on trial until, changed since', async () => {
  const ending = await world.register('plain', '2026-01-10T00:00:00Z')
  const trying = await world.register('trying', '2026-01-10T00:00:00Z')
  const behind = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(ending.subscription, { cancel_at_period_end: true })
  const { id } = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: behind.customer,
  })
  await world.stripe.customers.update(behind.customer, { invoice_settings: { default_payment_method: id } })
  await go(behind, '2026-02-10T02:00:00Z')

  const names = new Map([
    [ending.subscriptionId, 'ending'],
    [trying.subscriptionId, 'trying'],
    [behind.subscriptionId, 'behind'],
  ])
  const listed = async (query: string) => {
    const found: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const { body }: { body: Body } = await ask('GET', `/v1/subscriptions?${query}&limit=100${after}`)
      // Those of other tests stand beside them.
      found.push(...body.data.flatMap(({ id: one }) => names.get(one) ?? []))
      after = body.nextCursor && `&after=${body.nextCursor}`
    }
    return found.join(' ')
  }
  expect(await listed('')).toBe('behind trying ending')
  expect(await listed('ending=true')).toBe('ending')
  expect(await listed('ending=false')).toBe('behind trying')
  expect(await listed('inGrace=true')).toBe('behind')
  expect(await listed('status=past_due&plan=plain')).toBe('behind')
  // The trial of 14 days ends on 2026-01-24; that second is not before itself.
  expect(await listed('trialEndsBefore=2026-01-24T00:00:00Z')).toBe('')
  expect(await listed('trialEndsBefore=2026-01-24T00:00:01Z')).toBe('trying')
  expect(await listed('modifiedAfter=2026-01-31T00:00:00Z')).toBe('behind')
  expect(await listed(`customer=${trying.customerId}&ending=false`)).toBe('trying')

  const { catalog } = world
  await applyCatalog({ ...world.deps, workflows: world.workflows }, { ...catalog, grace: { days: 1 } })
  await go(behind, '2026-02-11T02:00:00Z')
  expect(await listed('inGrace=true')).toBe('')
  const { body } = await ask('GET', `/v1/subscriptions/${behind.subscriptionId}`)
  expect(body).toMatchObject({
    ...{ status: 'past_due', access: 'inactive' },
    ...{ pastDueSince: '2026-02-10T02:00:00Z', graceEndsAt: '2026-02-11T02:00:00Z' },
  })
})

test('page by page, each of a thousand comes once while more are added', async () => {
  const { subscriptionId } = await world.register('plain', '2026-01-10T00:00:00Z')
  const add = (ids: readonly string[]) =>
    world.pool.query(
      `insert into subscription (id, customer_id, plan_version_id, currency, status, quantity, billing_cycle_anchor,
         current_period_start, current_period_end, started_at, created_at)
       select unnest($1::text[]), customer_id, plan_version_id, currency, 'unpaid', 1, billing_cycle_anchor,
         current_period_start, current_period_end, started_at, created_at from subscription where id = $2`,
      [ids, subscriptionId],
    )
  const ids = Array.from({ length: 1000 }, () => newId('subscription'))
  await add(ids)
  const seen: string[] = []
  let after = ''
  for (;;) {
    const { body } = await ask('GET', `/v1/subscriptions?status=unpaid&limit=100${after}`)
    seen.push(...body.data.map(({ id }) => id))
    if (body.nextCursor === null) break
    after = `&after=${body.nextCursor}`
    await add([newId('subscription'), newId('subscription')])
  }
  expect(seen).toEqual(ids.toReversed())
})

test('given by an administrator by the same path as any registration; everything wrong is told at once', async () => {
  const wrong = await ask('POST', '/v1/subscriptions', {
    externalId: 'given',
    plan: 'none',
    purchase: 'barter',
    testClock: 'test_clock_none',
  })
  expect(wrong.status).toBe(422)
  expect(wrong.body.errors.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
    ...['#/purchase purchase_unknown', '#/plan plan_unknown', '#/testClock test_clock_not_found'],
  ])
  const wanted = { externalId: 'given', plan: 'plain', paymentMethod: 'pm_card_visa' }
  const given = await ask('POST', '/v1/subscriptions', wanted)
  expect([given.status, given.body.status, given.body.plan]).toEqual([201, 'active', 'plain'])
  const { rows } = await world.pool.query('select 1 from contract where subscription_id = $1', [
    given.body.id,
  ])
  expect(rows).toHaveLength(1)
  expect((await ask('POST', '/v1/subscriptions', wanted)).body.code).toBe('subscription_exists')
})

test('what is over is begun anew without its trial, which nobody has twice', async () => {
  const tom = await world.register('trying', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.cancel(tom.subscription)
  await world.deliver()
  const { body: made } = await server.call({
    ...{ method: 'POST', url: '/v1/api-keys' },
    payload: { name: 'application', scopes: ['subscriptions:write'] },
  })
  const { key } = made as { key: string }
  const url = `/v1/subscriptions/${tom.subscriptionId}/reactivate`
  const begun = await ask('POST', url, {}, key)
  expect([begun.status, begun.body.status]).toEqual([201, 'active'])
  const { rows } = await world.pool.query<{ document: string }>(
    'select document from contract where subscription_id = $1',
    [begun.body.id],
  )
  expect(rows.map(({ document }) => JSON.parse(document).agreement.trial)).toEqual([null])
})

test('what is over is begun anew: same customer, same place, a contract of its own; what lives is not', async () => {
  const eve = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const url = `/v1/subscriptions/${eve.subscriptionId}/reactivate`
  expect((await ask('POST', url, {})).body.code).toBe('subscription_live')
  await world.stripe.subscriptions.cancel(eve.subscription)
  await world.deliver()
  const begun = await ask('POST', url, {})
  expect(begun.status).toBe(201)
  expect(begun.body).toMatchObject({
    status: 'active',
    plan: 'plain',
    slot: 'default',
    customer: eve.customerId,
  })
  expect(begun.body.id).not.toBe(eve.subscriptionId)
  const { rows } = await world.pool.query<{ sequence: number }>(
    'select count(*)::int as sequence from contract where customer_id = $1',
    [eve.customerId],
  )
  expect(rows).toEqual([{ sequence: 2 }])
  expect((await ask('POST', url, {})).body.code).toBe('subscription_exists')
})
