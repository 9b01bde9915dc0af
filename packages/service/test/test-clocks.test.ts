import { defineCatalog } from '@lockstep/core/catalog'
import { formatInstant } from '@lockstep/core/instant'
import { afterEach, expect, test } from 'vitest'
import { openUsage } from '../src/usage/usage.ts'
import { onDatabase } from './support/installation.ts'
import { sharedInstallation } from './support/shared.ts'

const fee = { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } } as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: {
    calls: { name: 'Calls', unitLabel: 'call', aggregation: 'count' },
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
  },
  plans: {
    monthly: {
      name: 'Monthly',
      product: 'app',
      interval: 'month',
      prices: { ...fee, calls: { meter: 'calls', model: 'perUnit', unitAmount: '1' } },
    },
    dear: {
      name: 'Dear',
      product: 'app',
      interval: 'month',
      prices: { ...fee, seconds: { meter: 'seconds', model: 'perUnit', unitAmount: '1' } },
    },
    yearly: { name: 'Yearly', product: 'app', interval: 'year', prices: fee },
    trial: { name: 'Trial', product: 'app', interval: 'month', trialDays: 14, prices: fee },
  },
})

const { simulator, installation } = await sharedInstallation(catalog)
afterEach(() => simulator.control.clearFaults())

async function newClock(frozenTime: string): Promise<string> {
  const { status, body } = await installation.ask('POST', '/v1/test-clocks', { frozenTime, name: 'A year' })
  expect(status).toBe(201)
  return String(body.id)
}

let count = 0
async function register(testClock: string, plan: string): Promise<string> {
  count += 1
  const wanted = { externalId: `user_${count}`, plan, testClock, paymentMethod: 'pm_card_visa' }
  const { status, body } = await installation.ask('POST', '/v1/registrations', wanted)
  expect(status).toBe(201)
  return String(body.subscription)
}

const advance = (clock: string, frozenTime: string) =>
  installation.ask('POST', `/v1/test-clocks/${clock}/advance`, { frozenTime })

async function settled(clock: string) {
  await expect
    .poll(() => installation.ask('GET', `/v1/test-clocks/${clock}`), { timeout: 60_000, interval: 50 })
    .toMatchObject({ body: { status: 'ready' } })
  return (await installation.ask('GET', `/v1/test-clocks/${clock}`)).body
}

async function periods(subscription: string): Promise<string[]> {
  const { rows } = await installation.database.pool.query<{ status: string; start: number; end: number }>(
    `select status, period_start as start, period_end as end from invoice
     where subscription_id = $1 and plan_version_id is not null order by period_start`,
    [subscription],
  )
  return rows.map(
    ({ status, start, end }) =>
      `${formatInstant(start).slice(0, 10)} ${formatInstant(end).slice(0, 10)} ${status}`,
  )
}

test('a clock is made here and at Stripe, once for one key', async () => {
  const body = { frozenTime: '2026-01-31T09:30:00.9+00:00', name: 'Ada' }
  const first = await installation.ask('POST', '/v1/test-clocks', body, 'clock-1')
  expect(first).toMatchObject({
    status: 201,
    body: { name: 'Ada', frozenTime: '2026-01-31T09:30:00Z', status: 'ready', target: null },
  })
  expect(await installation.ask('POST', '/v1/test-clocks', body, 'clock-1')).toEqual(first)
  const stripes = await installation.deps.provider.stripe.testHelpers.testClocks.retrieve(
    String(first.body.providerId),
  )
  expect(stripes.name).toBe(`Ada [${first.body.id}]`)
  const mapping = await installation.ask('GET', `/v1/mappings?entityId=${first.body.id}`)
  expect(mapping.body.data).toMatchObject([{ entityType: 'test_clock', providerId: first.body.providerId }])
})

test('months go by from the 31st, each period with its invoice, each paid', async () => {
  const clock = await newClock('2026-01-31T09:30:00Z')
  const subscription = await register(clock, 'monthly')
  expect(await periods(subscription)).toEqual(['2026-01-31 2026-02-28 current'])

  expect(await advance(clock, '2026-06-01T00:00:00Z')).toMatchObject({
    status: 202,
    body: { status: 'advancing', target: '2026-06-01T00:00:00Z' },
  })
  expect(await settled(clock)).toMatchObject({ frozenTime: '2026-06-01T00:00:00Z', target: null })
  expect(await periods(subscription)).toEqual([
    '2026-01-31 2026-02-28 paid',
    '2026-02-28 2026-03-31 paid',
    '2026-03-31 2026-04-30 paid',
    '2026-04-30 2026-05-31 paid',
    '2026-05-31 2026-06-30 current',
  ])
  const { body } = await installation.ask('GET', `/v1/subscriptions/${subscription}`)
  expect(body).toMatchObject({
    status: 'active',
    currentPeriod: { start: '2026-05-31T09:30:00Z', end: '2026-06-30T09:30:00Z' },
  })
  const { data } = await installation.deps.provider.stripe.invoices.list({
    subscription: String(body.providerId),
    limit: 100,
  })
  expect(data.map(({ amount_paid: paid, status }) => [paid, status])).toEqual(Array(5).fill([900, 'paid']))
})

test('it stops where the period ends, and before the draft is final', async () => {
  const clock = await newClock('2026-01-31T09:30:00Z')
  const subscription = await register(clock, 'monthly')
  await advance(clock, '2026-02-28T09:45:00Z')
  await settled(clock)
  expect(await periods(subscription)).toEqual([
    '2026-01-31 2026-02-28 closing',
    '2026-02-28 2026-03-31 current',
  ])
  await advance(clock, '2026-02-28T10:30:01Z')
  await settled(clock)
  expect(await periods(subscription)).toEqual(['2026-01-31 2026-02-28 paid', '2026-02-28 2026-03-31 current'])
})

test('trial, year and month on one clock stop at the boundaries of all', async () => {
  const clock = await newClock('2026-03-01T00:00:00Z')
  const trial = await register(clock, 'trial')
  const yearly = await register(clock, 'yearly')
  const monthly = await register(clock, 'monthly')
  await advance(clock, '2027-03-01T02:00:00Z')
  await settled(clock)
  expect((await periods(trial)).slice(0, 3)).toEqual([
    '2026-03-01 2026-03-15 paid',
    '2026-03-15 2026-04-15 paid',
    '2026-04-15 2026-05-15 paid',
  ])
  expect(await periods(yearly)).toEqual(['2026-03-01 2027-03-01 paid', '2027-03-01 2028-03-01 current'])
  expect(await periods(monthly)).toHaveLength(13)
})

test('a clock without subscriptions goes further than Stripe turns it at once', async () => {
  const clock = await newClock('2020-01-01T00:00:00Z')
  await advance(clock, '2026-01-01T00:00:00Z')
  expect(await settled(clock)).toMatchObject({ frozenTime: '2026-01-01T00:00:00Z' })
})

test('what Stripe refuses to be told holds up no clock: time goes on, and the invoice says why', async () => {
  const clock = await newClock('2026-01-31T09:30:00Z')
  const subscription = await register(clock, 'dear')
  const { database, deps } = installation
  const usage = openUsage({ ...deps, databaseUrl: database.url })
  // More than the 999,999.99 usd that Stripe charges at once.
  const event = { id: 'far too much', meter: 'seconds', externalId: `user_${count}`, quantity: '1000000' }
  await usage.take({ ...event, time: '2026-01-31T09:30:00Z' })
  await usage.close()
  await advance(clock, '2026-03-01T00:00:00Z')
  expect(await settled(clock)).toMatchObject({ frozenTime: '2026-03-01T00:00:00Z', target: null })
  expect(await periods(subscription)).toEqual(['2026-01-31 2026-02-28 paid', '2026-02-28 2026-03-31 current'])
  const { rows } = await database.pool.query(
    `select sync_problem ->> 'detail' as why from invoice where subscription_id = $1 and status = 'current'`,
    [subscription],
  )
  expect(rows).toEqual([{ why: expect.stringMatching(/^Seconds: 1,000,000 second, .*: .*amount_too_large/) }])
})

test('backwards, busy and unknown are refused', async () => {
  const clock = await newClock('2026-01-31T09:30:00Z')
  await register(clock, 'monthly')
  expect(await advance(clock, '2026-01-31T09:30:00Z')).toMatchObject({
    status: 422,
    body: { code: 'test_clock_backwards' },
  })
  // It cannot be turned to its goal before somebody was refused.
  const path = '/v1/test_helpers/test_clocks/*'
  simulator.control.fail({ kind: 'error_500', method: 'POST', path, times: 1000 })
  await advance(clock, '2026-03-31T00:00:00Z')
  expect(await advance(clock, '2026-04-30T00:00:00Z')).toMatchObject({
    status: 409,
    body: { code: 'test_clock_busy' },
  })
  const { pool } = installation.database
  const { rows } = await pool.query('select id from workflow where ended_at is null')
  for (const { id } of rows) await installation.workflows.stopped(id)
  simulator.control.clearFaults()
  await pool.query('update workflow set next_attempt_at = null where ended_at is null')
  await installation.workflows.resumeDue()
  await settled(clock)
  expect(await advance('test_clock_0', '2026-04-30T00:00:00Z')).toMatchObject({
    status: 404,
    body: { code: 'test_clock_not_found' },
  })
})

test('a clock that is gone at Stripe is given up, and says so each time', async () => {
  const clock = await newClock('2026-01-31T09:30:00Z')
  const { body } = await installation.ask('GET', `/v1/test-clocks/${clock}`)
  await installation.deps.provider.stripe.testHelpers.testClocks.del(String(body.providerId))
  for (const _ of [1, 2]) {
    await advance(clock, '2026-03-31T00:00:00Z')
    expect(await settled(clock)).toMatchObject({ frozenTime: '2026-01-31T09:30:00Z', target: null })
  }
})

test('an advance that broke off goes on in the next process', async () => {
  const clock = await newClock('2026-01-31T09:30:00Z')
  const subscription = await register(clock, 'monthly')
  simulator.control.fail({
    kind: 'error_500',
    method: 'POST',
    path: '/v1/test_helpers/test_clocks/*',
    skip: 2,
    times: 6,
  })
  await advance(clock, '2026-04-01T00:00:00Z')
  const waiting = () =>
    installation.database.pool
      .query(
        `select problem ->> 'code' as code from workflow where kind = 'advance-test-clock' and ended_at is null`,
      )
      .then(({ rows }) => rows)
  await expect.poll(waiting).toEqual([{ code: 'provider_unknown_outcome' }])
  await installation.workflows.close()

  const next = await onDatabase(installation.database, installation.deps)
  await installation.database.pool.query('update workflow set next_attempt_at = null where ended_at is null')
  await next.workflows.resumeDue()
  expect(await settled(clock)).toMatchObject({ frozenTime: '2026-04-01T00:00:00Z' })
  expect(await periods(subscription)).toEqual([
    '2026-01-31 2026-02-28 paid',
    '2026-02-28 2026-03-31 paid',
    '2026-03-31 2026-04-30 current',
  ])
})
