import { defineCatalog } from '@lockstep/core/catalog'
import { formatInstant } from '@lockstep/core/instant'
import { expect, test } from 'vitest'
import { type Random, seeded } from '../../../test/support/random.ts'
import { subscriptionStatsRoutes } from '../src/http/routes/subscription-stats.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const fee = (amount: string) => ({ fee: { kind: 'recurring' as const, model: 'flat' as const, amount } })
const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    month: { name: 'Month', product: 'app', interval: 'month', prices: fee('10.00') },
    quarter: { name: 'Quarter', product: 'app', interval: 'month', intervalCount: 3, prices: fee('10.00') },
    year: { name: 'Year', product: 'app', interval: 'year', prices: fee('100.00') },
    week: { name: 'Week', product: 'app', interval: 'week', prices: fee('7.00') },
    yen: { name: 'Yen', product: 'app', currency: 'jpy', interval: 'year', prices: fee('1000') },
    trial: { name: 'Trial', product: 'app', interval: 'month', trialDays: 14, prices: fee('10.00') },
  },
})

const world = await shared(newBillingWorld({ catalog }))
const server = await newServer(world)
subscriptionStatsRoutes(server.app, world.deps)

interface Amount {
  readonly minor: string
}
interface Stats {
  readonly subscribers: number
  readonly subscriptions: number
  readonly byStatus: readonly { status: string; subscriptions: number }[]
  readonly failingCards: number
  readonly ending: number
  readonly trialsEnding: number
  readonly plans: readonly { plan: string; subscriptions: number; mrr: readonly Amount[] }[]
  readonly revenue: readonly {
    readonly currency: string
    readonly mrr: Amount
    readonly movements: Readonly<Record<string, Amount>> | null
  }[]
}

async function stats(query = ''): Promise<Stats> {
  const { status, body } = await server.call({ method: 'GET', url: `/v1/subscription-stats?${query}` })
  expect(status).toBe(200)
  return body
}

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

test('the figures of a few lives, by hand', async () => {
  const [ada, bob, eve, joe] = [
    await world.register('month', '2026-01-10T00:00:00Z'),
    await world.register('year', '2026-01-10T00:00:00Z'),
    await world.register('quarter', '2026-01-10T00:00:00Z'),
    await world.register('trial', '2026-01-10T00:00:00Z'),
  ]
  await world.registerAlso(ada, 'quarter', 'second')
  const { subscriptionId } = await world.register('yen', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(eve.subscription, { cancel_at_period_end: true })
  await world.deliver()
  expect(await stats()).toMatchObject({
    ...{ subscribers: 5, subscriptions: 6, failingCards: 0, ending: 1, trialsEnding: 0 },
    // 10.00 + 100.00 / 12 + 2 × 10.00 / 3 = 25.00; the trial brings nothing yet. 1000 / 12 = 83.33 yen.
    revenue: [
      { currency: 'jpy', mrr: { minor: '83' }, movements: null },
      { currency: 'usd', mrr: { minor: '2500' } },
    ],
    plans: [
      { plan: 'month', subscriptions: 1, mrr: [{ minor: '1000' }] },
      { plan: 'quarter', subscriptions: 2, mrr: [{ minor: '667' }] },
      { plan: 'trial', subscriptions: 1, mrr: [{ minor: '0' }] },
      { plan: 'year', subscriptions: 1, mrr: [{ minor: '833' }] },
      { plan: 'yen', subscriptions: 1, mrr: [{ minor: '83' }] },
    ],
  })
  await go(joe, '2026-01-18T00:00:00Z')
  expect((await stats()).trialsEnding).toBe(1)
  await go(joe, '2026-01-25T00:00:00Z')
  await go(bob, '2026-01-20T00:00:00Z')
  await world.stripe.subscriptions.cancel(bob.subscription)
  await world.deliver()
  // January is over for us.
  world.wall.time = Date.parse('2026-02-02T00:00:00Z') / 1000
  const january = await stats('since=2026-01-09T00:00:00Z&at=2026-02-01T00:00:00Z')
  const usd = january.revenue.find(({ currency }) => currency === 'usd')
  // Bob came and went: he was nothing before and is nothing after. 25.00 − 8.33 + 10.00 of the trial.
  expect(usd).toMatchObject({
    mrr: { minor: '2667' },
    movements: { new: { minor: '2667' }, churn: { minor: '0' } },
  })
  const late = await stats('since=2026-01-15T00:00:00Z&at=2026-02-01T00:00:00Z')
  expect(late.revenue.find(({ currency }) => currency === 'usd')?.movements).toEqual({
    new: expect.objectContaining({ minor: '1000' }),
    reactivation: expect.objectContaining({ minor: '0' }),
    expansion: expect.objectContaining({ minor: '0' }),
    contraction: expect.objectContaining({ minor: '0' }),
    churn: expect.objectContaining({ minor: '833' }),
  })
  expect(subscriptionId).toMatch(/^subscription_/)
})

test('since comes before at', async () => {
  const url = '/v1/subscription-stats?since=2026-02-01T00:00:00Z&at=2026-01-01T00:00:00Z'
  const { status, body } = await server.call({ method: 'GET', url })
  expect([status, body]).toMatchObject([400, { errors: [{ pointer: '#/since', code: 'not_before' }] }])
})

test('what nobody has come to yet is refused', async () => {
  const url = '/v1/subscription-stats?at=2099-01-01T00:00:00Z'
  const { status, body } = await server.call({ method: 'GET', url })
  expect([status, body]).toMatchObject([400, { errors: [{ pointer: '#/at', code: 'in_the_future' }] }])
})

const DAY = 86_400
const START = Date.parse('2027-01-01T00:00:00Z') / 1000
const statuses = ['trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled'] as const
const collections = ['charging', 'keepAsDraft', 'markUncollectible', 'void'] as const

interface Life {
  readonly customer: string
  readonly plan: string
  readonly from: number
  readonly to: number
  readonly status: string
  readonly collection: string
  readonly fee: number
  readonly ending: boolean
}

/** Lives of nobody's making, written straight into the history; the same rows are kept for the recount. */
async function randomLives(random: Random, template: Payer): Promise<Life[]> {
  const { rows: versions } = await world.pool.query<{ id: string; plan_key: string }>(
    'select id, plan_key from plan_version',
  )
  const lives: Life[] = []
  for (let n = 0; n < 60; n += 1) {
    const customer = `customer_random_${Math.floor(n / 2)}`
    const subscription = `subscription_random_${n}`
    await world.pool.query(
      `insert into customer (id, external_id, created_at) select $1, $1, now() on conflict do nothing`,
      [customer],
    )
    await world.pool.query(
      `insert into subscription (id, customer_id, plan_version_id, currency, status, quantity, billing_cycle_anchor,
         current_period_start, current_period_end, started_at, created_at)
       select $1, $2, plan_version_id, currency, 'active', 1, billing_cycle_anchor, current_period_start,
         current_period_end, started_at, created_at from subscription where id = $3`,
      [subscription, customer, template.subscriptionId],
    )
    let from = START + random.below(100) * DAY
    const count = 1 + random.below(6)
    for (let ordinal = 1; ordinal <= count; ordinal += 1) {
      const to = ordinal === count ? Number.POSITIVE_INFINITY : from + random.below(40) * DAY
      const version = random.pick(versions)
      const currency = version.plan_key === 'yen' ? 'jpy' : 'usd'
      const life = {
        status: random.pick(statuses),
        collection: random.pick(collections),
        fee: random.below(5000),
      }
      const ending = random.below(5) === 0
      await world.pool.query(
        `insert into subscription_history (customer_id, subscription_id, ordinal, starts_at, ends_at, plan_version_id,
           status, currency, quantity, collection, cancel_at_period_end, fee, cause, recorded_at)
         values ($1, $2, $3, to_timestamp($4), coalesce(to_timestamp($5), 'infinity'), $6, $7, $8, 1, $9, $10, $11,
           'provider', to_timestamp($4))`,
        [customer, subscription, ordinal, from, Number.isFinite(to) ? to : null, version.id, life.status]
          .concat([currency, life.collection] as never[])
          .concat([ending, life.fee] as never[]),
      )
      lives.push({ customer, plan: version.plan_key, from, to, ending, ...life })
      from = to
    }
  }
  return lives
}

/** Twelfths of 1/365: months of each plan as a whole number of parts, told apart by hand and not by the code. */
const PARTS = 12n * 84n
const parts: Readonly<Record<string, bigint>> = {
  month: PARTS,
  trial: PARTS,
  quarter: PARTS / 3n,
  year: PARTS / 12n,
  yen: PARTS / 12n,
  week: (PARTS * 365n) / 84n,
}

/** A second reckoning of the same figures, one life at a time. */
function recount(lives: readonly Life[], at: number, since: number) {
  const there = lives.filter(({ from, to }) => from <= at && at < to && from < to)
  const living = there.filter(({ status }) => status !== 'canceled')
  const worth = ({ plan, status, collection, fee: amount }: Life) =>
    (status === 'active' || status === 'past_due') &&
    (collection === 'charging' || collection === 'keepAsDraft')
      ? BigInt(amount) * (parts[plan] ?? 0n)
      : 0n
  const inUsd = ({ plan }: Life) => plan !== 'yen'
  const mrrOf = (customer: string, when: number) =>
    lives
      .filter((life) => life.customer === customer && inUsd(life) && life.from <= when && when < life.to)
      .reduce((sum, life) => sum + worth(life), 0n)
  const moved = { new: 0n, reactivation: 0n, expansion: 0n, contraction: 0n, churn: 0n }
  for (const customer of new Set(lives.map((life) => life.customer))) {
    const [was, is] = [mrrOf(customer, since), mrrOf(customer, at)]
    const before = lives.some(
      (life) =>
        life.customer === customer &&
        inUsd(life) &&
        life.from < since &&
        life.to > life.from &&
        worth(life) > 0n,
    )
    if (was === 0n && is > 0n) moved[before ? 'reactivation' : 'new'] += is
    else if (was > 0n && is === 0n) moved.churn += was
    else if (is > was) moved.expansion += is - was
    else moved.contraction += was - is
  }
  const round = (value: bigint) => String((2n * value + PARTS) / (2n * PARTS))
  const mrr = living.filter(inUsd).reduce((sum, life) => sum + worth(life), 0n)
  return {
    subscribers: new Set(living.map(({ customer }) => customer)).size,
    subscriptions: living.length,
    failing: living.filter(({ status }) => status === 'past_due' || status === 'unpaid').length,
    ending: living.filter(({ ending }) => ending).length,
    mrr: round(mrr),
    moved: Object.fromEntries(Object.entries(moved).map(([kind, value]) => [kind, round(value)])),
  }
}

test('as of any date, the figures equal a recount of every single life', async () => {
  const template = await world.register('month', '2026-01-10T00:00:00Z')
  // Afterwards: what is asked of is over.
  world.wall.time = START + 250 * DAY
  await world.pool.query('delete from subscription_history')
  const random = seeded(5)
  const lives = await randomLives(random, template)
  for (let n = 0; n < 40; n += 1) {
    const since = START + random.below(150) * DAY
    const at = since + random.below(100) * DAY
    const found = await stats(`at=${formatInstant(at)}&since=${formatInstant(since)}`)
    const usd = found.revenue.find(({ currency }) => currency === 'usd')
    const movements = Object.entries(usd?.movements ?? {}).map(([kind, { minor }]) => [kind, minor])
    const expected = recount(lives, at, since)
    const nothing = { new: '0', reactivation: '0', expansion: '0', contraction: '0', churn: '0' }
    expect([
      n,
      {
        ...found,
        ...(usd
          ? { mrr: usd.mrr.minor, moved: Object.fromEntries(movements) }
          : { mrr: '0', moved: nothing }),
      },
    ]).toMatchObject([
      n,
      {
        ...{ subscribers: expected.subscribers, subscriptions: expected.subscriptions },
        ...{
          failingCards: expected.failing,
          ending: expected.ending,
          mrr: expected.mrr,
          moved: expected.moved,
        },
      },
    ])
  }
})
