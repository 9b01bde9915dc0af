import { formatInstant } from '@lockstep/core/instant'
import { expect, test } from 'vitest'
import { subscriptionHistoryRoutes } from '../src/http/routes/subscription-history.ts'
import { beginMissing } from '../src/jobs/begin-histories.ts'
import { listHistory } from '../src/store/subscription-history.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

/** The stretches in a line each, oldest first. */
async function story({ subscriptionId }: Payer): Promise<string[]> {
  const rows = await listHistory(world.db, subscriptionId, { limit: 100 })
  return rows.reverse().map(({ startsAt, endsAt, status, cause, quantity, cancelAtPeriodEnd }) => {
    const end = Number.isFinite(endsAt) ? formatInstant(endsAt).slice(0, 16) : '…'
    const more = `${quantity === 1 ? '' : ` × ${quantity}`}${cancelAtPeriodEnd ? ' ending' : ''}`
    return `${formatInstant(startsAt).slice(0, 16)} ${end} ${status}${more} ${cause}`
  })
}

test('a life in stretches: trial, payment, a change from outside, a planned end', async () => {
  const ada = await world.register('trying', '2026-01-01T08:20:00Z')
  await world.deliver()
  await go(ada, '2026-01-20T00:00:00Z')
  const { data } = await world.stripe.subscriptionItems.list({ subscription: ada.subscription })
  await world.stripe.subscriptionItems.update(data[0]?.id ?? '', { quantity: 3 })
  await world.deliver()
  await world.stripe.subscriptions.update(ada.subscription, { cancel_at_period_end: true })
  await world.deliver()
  await go(ada, '2026-03-01T00:00:00Z')
  expect(await story(ada)).toEqual([
    '2026-01-01T08:20 2026-01-15T08:20 trialing registration',
    '2026-01-15T08:20 2026-01-20T00:00 active trialEnd',
    // Two changes within one second: the first held for none, and is kept.
    '2026-01-20T00:00 2026-01-20T00:00 active × 3 provider',
    '2026-01-20T00:00 2026-02-15T08:20 active × 3 ending provider',
    '2026-02-15T08:20 … canceled × 3 ending plannedEnd',
  ])
})

test('what is heard of before its test clock is, begins no earlier than the period, and an end not before it came', async () => {
  const hal = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const hearOfSubscription = async () => {
    for (const event of await world.newEvents())
      if (event.type.startsWith('customer.subscription.')) await world.receive(event)
    await world.drain()
  }
  await world.turn(hal, '2026-02-10T00:00:00Z')
  const { data } = await world.stripe.subscriptionItems.list({ subscription: hal.subscription })
  await world.stripe.subscriptionItems.update(data[0]?.id ?? '', { quantity: 3 })
  await hearOfSubscription()
  await world.stripe.subscriptions.update(hal.subscription, { cancel_at_period_end: true })
  await world.turn(hal, '2026-03-15T00:00:00Z')
  await hearOfSubscription()
  expect(await story(hal)).toEqual([
    '2026-01-10T00:00 2026-02-10T00:00 active registration',
    '2026-02-10T00:00 2026-03-10T00:00 active × 3 provider',
    '2026-03-10T00:00 … canceled × 3 ending plannedEnd',
  ])
})

test('a card that fails and is replaced is a stretch of its own', async () => {
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const declined = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: bob.customer,
  })
  await world.stripe.customers.update(bob.customer, {
    invoice_settings: { default_payment_method: declined.id },
  })
  await go(bob, '2026-02-10T02:00:00Z')
  const row = await world.db
    .selectFrom('subscription')
    .select(['status', 'pastDueSince'])
    .where('id', '=', bob.subscriptionId)
    .executeTakeFirstOrThrow()
  expect(row).toEqual({ status: 'past_due', pastDueSince: Date.parse('2026-02-10T02:00:00Z') / 1000 })
  const visa = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: bob.customer })
  await world.stripe.customers.update(bob.customer, { invoice_settings: { default_payment_method: visa.id } })
  await go(bob, '2026-02-25T00:00:00Z')
  expect((await story(bob)).map((line) => line.split(' ').slice(2).join(' '))).toEqual([
    'active registration',
    'past_due paymentFailed',
    'active paymentRecovered',
  ])
})

test('what is unpaid is overdue since it first was', async () => {
  const lenient = await newBillingWorld({ simulator: { settings: { afterRetries: 'unpaid' } } })
  try {
    const kay = await lenient.register('plain', '2026-01-10T00:00:00Z')
    await lenient.deliver()
    const declined = await lenient.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
      customer: kay.customer,
    })
    await lenient.stripe.customers.update(kay.customer, {
      invoice_settings: { default_payment_method: declined.id },
    })
    const since = Date.parse('2026-02-10T02:00:00Z') / 1000
    // The retries of the renewal of 10 February are over by March.
    for (const [time, status] of [
      ['2026-02-10T02:00:00Z', 'past_due'],
      ['2026-03-05T00:00:00Z', 'unpaid'],
    ] as const) {
      await lenient.turn(kay, time)
      await lenient.deliver()
      const row = await lenient.db
        .selectFrom('subscription')
        .select(['status', 'pastDueSince'])
        .where('id', '=', kay.subscriptionId)
        .executeTakeFirstOrThrow()
      expect(row).toEqual({ status, pastDueSince: since })
    }
  } finally {
    await lenient.close()
  }
})

test('the same news twice, and old news, leave history as it is', async () => {
  const eve = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.stripe.subscriptions.update(eve.subscription, { cancel_at_period_end: true })
  await world.stripe.subscriptions.update(eve.subscription, { cancel_at_period_end: false })
  const events = await world.deliver()
  const before = await story(eve)
  for (const event of events.toReversed()) await world.receive(event)
  await world.drain()
  expect(await story(eve)).toEqual(before)
  expect(before.at(-1)).toBe('2026-01-10T00:00 … active registration')
})

test('the database refuses stretches that overlap, leave a gap, or end twice', async () => {
  const max = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.stripe.subscriptions.update(max.subscription, { cancel_at_period_end: true })
  await world.turn(max, '2026-01-12T00:00:00Z')
  await world.deliver()
  const values = (ordinal: number, from: string, to: string) =>
    world.pool.query(
      `insert into subscription_history (customer_id, subscription_id, ordinal, starts_at, ends_at,
         plan_version_id, status, currency, quantity, collection, cancel_at_period_end, fee, cause, recorded_at)
       select customer_id, subscription_id, $1, $2, $3, plan_version_id, status, currency, quantity,
         collection, false, fee, cause, '2027-01-01' from subscription_history where subscription_id = $4 limit 1`,
      [ordinal, from, to, max.subscriptionId],
    )
  await expect(values(3, '2026-02-01', '2026-03-01')).rejects.toThrow('foreign key')
  await expect(values(3, '2026-02-01', 'infinity')).rejects.toThrow('duplicate key')
  await expect(values(3, 'infinity', 'infinity')).rejects.toThrow('check constraint')
  await expect(values(1, '2026-02-01', '2026-03-01')).rejects.toThrow('duplicate key')
  const move = (set: string, ordinal: number) =>
    world.pool.query(
      `update subscription_history set ${set} where subscription_id = '${max.subscriptionId}' and ordinal = ${ordinal}`,
    )
  await expect(move(`ends_at = '2026-01-11'`, 1)).rejects.toThrow('foreign key')
  await expect(move(`ends_at = 'infinity'`, 1)).rejects.toThrow(/foreign key|duplicate key/)
  await expect(move(`starts_at = '2026-01-11'`, 2)).rejects.toThrow('foreign key')
  await expect(move(`ends_at = '2026-01-01'`, 2)).rejects.toThrow('check')
})

test('one that was written before histories were kept has its own begun, once', async () => {
  const joe = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.pool.query('delete from subscription_history where subscription_id = $1', [joe.subscriptionId])
  expect(await beginMissing(world.deps)).toBe(1)
  expect(await beginMissing(world.deps)).toBe(0)
  expect(await story(joe)).toEqual(['2026-01-10T00:00 … active found'])

  // An older version beside this one may write more before that: it begins with what is known.
  await world.pool.query('delete from subscription_history where subscription_id = $1', [joe.subscriptionId])
  await world.stripe.subscriptions.update(joe.subscription, { cancel_at_period_end: true })
  await go(joe, '2026-01-11T00:00:00Z')
  expect(await story(joe)).toEqual([
    '2026-01-10T00:00 2026-01-11T00:00 active found',
    '2026-01-11T00:00 … active ending provider',
  ])
})

test('what a version without histories wrote beside this one is caught up with, once', async () => {
  const ian = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(ian, '2026-01-12T00:00:00Z')
  await world.deliver()
  await world.pool.query(`update subscription set status = 'past_due' where id = $1`, [ian.subscriptionId])
  expect([await beginMissing(world.deps), await beginMissing(world.deps)]).toEqual([1, 0])
  expect(await story(ian)).toEqual([
    '2026-01-10T00:00 2026-01-12T00:00 active registration',
    '2026-01-12T00:00 … past_due found',
  ])
})

test('a clock behind the one that wrote the stretch before makes one of no length', async () => {
  const una = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(una, '2026-01-11T00:00:00Z')
  await world.stripe.subscriptions.update(una.subscription, { cancel_at_period_end: true })
  await world.deliver()
  await world.pool.query(
    `update test_clock set frozen_at = frozen_at - interval '1 second'
      where id = (select test_clock_id from customer where id = (select customer_id from subscription where id = $1))`,
    [una.subscriptionId],
  )
  await world.stripe.subscriptions.update(una.subscription, { cancel_at_period_end: false })
  await world.deliver()
  expect((await story(una)).slice(1)).toEqual([
    '2026-01-11T00:00 2026-01-11T00:00 active ending provider',
    '2026-01-11T00:00 … active provider',
  ])
})

test('over HTTP newest first, page by page, each once while more are added', async () => {
  const lea = await world.register('plain', '2026-01-10T00:00:00Z')
  const toggle = async (at: string, on: boolean) => {
    await go(lea, at)
    await world.stripe.subscriptions.update(lea.subscription, { cancel_at_period_end: on })
    await world.deliver()
  }
  await toggle('2026-01-11T00:00:00Z', true)
  await toggle('2026-01-12T00:00:00Z', false)
  const server = await newServer(world)
  subscriptionHistoryRoutes(server.app, world)
  type Body = { data: { startsAt: string; fee: { amount: string } }[]; nextCursor: string | null }
  const ask = async (query = '') => {
    const url = `/v1/subscriptions/${lea.subscriptionId}/history?limit=2${query}`
    const { status, body } = await server.call({ method: 'GET', url })
    return { status, body: body as Body }
  }
  const first = await ask()
  expect(first.body.data[0]).toMatchObject({
    ...{ startsAt: '2026-01-12T00:00:00Z', endsAt: null, status: 'active', access: 'full', plan: 'plain' },
    ...{ fee: { amount: '20.00', minor: '2000', currency: 'usd' }, cause: 'provider', actor: null },
  })
  await toggle('2026-01-13T00:00:00Z', true)
  const second = await ask(`&after=${first.body.nextCursor}`)
  const seen = [...first.body.data, ...second.body.data].map(({ startsAt }) => startsAt.slice(8, 10))
  expect([seen, second.body.nextCursor]).toEqual([['12', '11', '10'], null])
  expect((await ask('&after=nonsense')).status).toBe(400)
  const missing = await server.call({ method: 'GET', url: '/v1/subscriptions/subscription_none/history' })
  expect(missing).toMatchObject({ status: 404, body: { code: 'subscription_not_found' } })
})
