// What stands beside usage by the month on an annual plan: each figure is of a month, and every fee of the year.
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { entitlementRoutes } from '../src/http/routes/entitlements.ts'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { priceOverrideRoutes } from '../src/http/routes/price-overrides.ts'
import { spendLimitRoutes } from '../src/http/routes/spend-limits.ts'
import { subscriptionStatsRoutes } from '../src/http/routes/subscription-stats.ts'
import { checkLimits } from '../src/invoice/check-limits.ts'
import { doDue } from '../src/workflow/due.ts'
import { monthEnds } from './support/annual-months.ts'
import { amounts, type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const yearly = { product: 'cloud', interval: 'year', usageInterval: 'month' } as const
const fee = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const
const compute = {
  ...({ meter: 'seconds', product: 'compute', model: 'graduated' } as const),
  tiers: [
    { upTo: '100', unitAmount: '0.10' },
    { upTo: null, unitAmount: '0.01' },
  ],
}

const catalog = defineCatalog({
  currency: 'usd',
  products: {
    cloud: { name: 'Cloud' },
    compute: { name: 'Compute', unitLabel: 'second' },
    backups: { name: 'Backups' },
  },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
    cpu: { name: 'CPU', unitLabel: 'second', aggregation: 'sum', dimensions: ['region'] },
  },
  features: { running: { name: 'Running', kind: 'metered', meter: 'seconds' } },
  plans: {
    annual: {
      ...yearly,
      name: 'Annual',
      prices: { fee: fee('1200.00'), compute },
      grants: { running: { upTo: '100', beyond: 'billed' } },
    },
    regions: {
      ...yearly,
      name: 'Regions',
      prices: {
        fee: fee('120.00'),
        cpu: {
          ...{ meter: 'cpu', product: 'compute', model: 'perUnit', unitAmount: '0.01' },
          ...{ groupBy: ['region'], unitAmounts: { eu: '0.02' } },
        },
      },
    },
    yen: {
      ...yearly,
      name: 'Yen',
      currency: 'jpy',
      prices: {
        fee: fee('12000'),
        compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.25' },
      },
    },
  },
  addons: {
    backups: {
      name: 'Backups',
      product: 'backups',
      interval: 'year',
      prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: '30.00' } },
    },
  },
})

const world = await shared(newBillingWorld({ catalog }))
const server = await newServer(world.deps, { clock: world.deps.clock })
for (const register of [
  entitlementRoutes,
  invoiceRoutes,
  priceOverrideRoutes,
  spendLimitRoutes,
  subscriptionStatsRoutes,
])
  register(server.app, world.deps)

async function go(payer: Payer, time: string): Promise<void> {
  await world.turn(payer, time)
  await world.deliver()
  await doDue({ ...world.deps, workflows: world.workflows })
  await world.sync(payer)
}

/** Anchored on 31 January; `time` is in a month of usage after that. */
async function subscribed(plan: string, time: string, more?: Parameters<BillingWorld['register']>[2]) {
  const payer = await world.register(plan, '2026-01-31T00:00:00Z', more)
  await world.deliver()
  await go(payer, time)
  return payer
}

async function ask(method: 'GET' | 'POST', url: string, payload?: object) {
  const { status, body } = await server.call({ method, url, ...(payload && { payload }) })
  // biome-ignore lint/suspicious/noExplicitAny: the answers of several routes
  return { status, body: body as any }
}

async function foreseen(payer: Payer): Promise<string[]> {
  const { id } = (await world.read(payer, 'current')).invoice
  const { body } = await ask('GET', `/v1/invoices/${id}`)
  const { lines, subtotal } = body.forecast
  return [
    ...lines.map(
      (line: { amount: { minor: string }; description: string }) =>
        `${line.amount.minor} ${line.description}`,
    ),
    subtotal.minor,
  ]
}

test('a forecast is of the month, without the year’s fee but in the twelfth', async () => {
  // The month has 31 days from 28 February on, of which ten are over.
  const payer = await subscribed('annual', '2026-02-28T00:00:00Z')
  await go(payer, '2026-03-10T00:00:00Z')
  await world.use(payer, '100', '2026-03-05T00:00:00Z')
  // 100 × 0.10 and 210 × 0.01
  expect(await foreseen(payer)).toEqual(['1210 Seconds: 310 second', '1210'])
  await go(payer, '2026-03-31T00:00:00Z')
  // The twelfth month: 31 days from 31 December on.
  for (const month of ['04-30', '05-31', '06-30', '07-31', '08-31', '09-30', '10-31', '11-30', '12-31'])
    await go(payer, `2026-${month}T00:00:00Z`)
  await go(payer, '2027-01-10T00:00:00Z')
  await world.use(payer, '10', '2027-01-01T00:00:00Z')
  // 31 × 0.10, and the fee of the next year.
  expect(await foreseen(payer)).toEqual(['310 Seconds: 31 second', '120310'])
})

test('in yen, and planned to end inside the month: foreseen to the end of the subscription', async () => {
  const payer = await subscribed('yen', '2026-02-28T00:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, {
    cancel_at: Date.parse('2026-03-20T00:00:00Z') / 1000,
    proration_behavior: 'none',
  })
  await go(payer, '2026-03-10T00:00:00Z')
  await world.use(payer, '101', '2026-03-05T00:00:00Z')
  // Twice as much in 20 days as in ten: 202 × 0.25 is 50.5, a half away from zero.
  expect(await foreseen(payer)).toEqual(['51 Seconds: 202 second', '51'])
})

test('a spend limit is of the month: told of once in each, and a cap that is reached opens again with the next', async () => {
  const payer = await subscribed('annual', '2026-02-10T00:00:00Z')
  const limits = `/v1/customers/${payer.customerId}/spend-limits`
  const set = await ask('POST', limits, { cap: '10.00', alerts: ['5.00'] })
  expect(set.status).toBe(201)
  const alerts = async () => {
    await checkLimits(world.deps)
    const { body } = await ask('GET', `/v1/customers/${payer.customerId}/spend-alerts`)
    return body.data.map(
      ({ kind, at, spent, period }: Record<string, string> & { period: { start: string } }) =>
        `${period.start.slice(0, 10)} ${kind} ${at} at ${spent}`,
    )
  }
  const mayRun = async () => {
    const { body } = await ask('GET', `/v1/entitlements?customer=${payer.customerId}&feature=running`)
    const { allowed, reason, left } = body.data[0]
    return [allowed, reason, left]
  }
  await world.use(payer, '49', '2026-02-05T00:00:00Z')
  expect(await alerts()).toEqual([])
  await world.use(payer, '1', '2026-02-05T00:00:00Z')
  // 50 × 0.10
  expect(await alerts()).toEqual(['2026-01-31 alert 5.00 at 5.00'])
  expect(await mayRun()).toEqual([true, 'granted', '50'])
  await world.use(payer, '60', '2026-02-06T00:00:00Z')
  // 100 × 0.10 and 10 × 0.01
  const first = ['2026-01-31 cap 10.00 at 10.10', '2026-01-31 alert 5.00 at 5.00']
  expect(await alerts()).toEqual(first)
  expect(await mayRun()).toEqual([false, 'used_up', '0'])
  await go(payer, '2026-02-28T00:00:00Z')
  await go(payer, '2026-03-02T00:00:00Z')
  expect(await mayRun()).toEqual([true, 'granted', '100'])
  expect(await alerts()).toEqual(first)
  await world.use(payer, '100', '2026-03-01T00:00:00Z')
  expect((await alerts()).slice(0, 2).toSorted()).toEqual([
    '2026-02-28 alert 5.00 at 10.00',
    '2026-02-28 cap 10.00 at 10.00',
  ])
})

test('a price of its own from the next month on, and from the one that runs', async () => {
  const payer = await subscribed('annual', '2026-02-10T00:00:00Z')
  const url = `/v1/subscriptions/${payer.subscriptionId}/price-overrides?dryRun=false`
  const own = { price: 'compute', reason: 'Ticket 4711' }
  await world.use(payer, '150', '2026-02-05T00:00:00Z')
  const next = await ask('POST', url, {
    ...{ ...own, from: 'nextPeriod' },
    terms: { model: 'perUnit', unitAmount: '0.05' },
  })
  expect(next).toMatchObject({ status: 201, body: { startsAt: '2026-02-28T00:00:00Z' } })
  // 100 × 0.10 and 50 × 0.01: this month is the plan's.
  expect(amounts(await world.read(payer, 'current'))).toEqual(['1050 Seconds: 150 second'])
  await world.sync(payer)
  await go(payer, '2026-02-28T00:00:00Z')
  await go(payer, '2026-03-01T00:00:00Z')
  await world.use(payer, '150', '2026-02-28T12:00:00Z')
  // 150 × 0.05
  expect(amounts(await world.read(payer, 'current'))).toEqual(['750 Seconds: 150 second'])
  const now = await ask('POST', url, {
    ...{ ...own, from: 'currentPeriod' },
    terms: { model: 'perUnit', unitAmount: '0.02' },
  })
  expect(now).toMatchObject({ status: 201, body: { startsAt: '2026-02-28T00:00:00Z' } })
  expect(amounts(await world.read(payer, 'current'))).toEqual(['300 Seconds: 150 second'])
  await world.sync(payer)
  await go(payer, '2026-03-31T00:00:00Z')
  await go(payer, '2026-03-31T02:00:00Z')
  expect((await world.atStripe(payer)).slice(1).map(({ lines }) => lines)).toEqual([
    ['1050 Seconds: 150 second'],
    ['300 Seconds: 150 second'],
  ])
})

test('an add-on is paid by the year with the fee, and stands on no month', async () => {
  const payer = await subscribed('annual', '2026-02-10T00:00:00Z', {
    addons: [{ addon: 'backups', quantity: 2 }],
  })
  await world.use(payer, '10', '2026-02-05T00:00:00Z')
  await world.sync(payer)
  expect(amounts(await world.read(payer, 'current'))).toEqual(['100 Seconds: 10 second'])
  await go(payer, '2026-02-28T00:00:00Z')
  await go(payer, '2026-02-28T02:00:00Z')
  // 1200.00 + 2 × 30.00, then 10 × 0.10
  expect((await world.atStripe(payer)).map(({ invoice }) => invoice.total)).toEqual([126_000, 100])
  for (const month of monthEnds.slice(1)) await go(payer, `2026-${month}T00:00:00Z`)
  await world.use(payer, '10', '2026-12-31T00:00:00Z')
  await world.sync(payer)
  // The twelfth month tells the fees of the next year.
  expect((await world.read(payer, 'current')).subtotal.minor).toBe(126_100n)
  await go(payer, '2027-01-31T00:00:00Z')
  await go(payer, '2027-01-31T02:00:00Z')
  expect((await world.atStripe(payer)).map(({ invoice }) => invoice.total)).toEqual([126_000, 100, 126_100])
})

test('each region is a line of its month', async () => {
  const payer = await subscribed('regions', '2026-02-10T00:00:00Z')
  const use = (quantity: string, region: string, time: string) =>
    world.use(payer, quantity, time, 'cpu', { region })
  await use('150', 'eu', '2026-02-05T00:00:00Z')
  await use('30', 'us', '2026-02-05T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-28T00:00:00Z')
  // Of before the end, while the draft is open.
  await use('20', 'us', '2026-02-27T23:59:59Z')
  await use('5', 'us', '2026-02-28T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-28T02:00:00Z')
  // 150 × 0.02, 50 × 0.01; then 5 × 0.01
  expect((await world.atStripe(payer)).slice(1).map(({ lines }) => lines)).toEqual([
    ['300 CPU, eu: 150 second', '50 CPU, us: 50 second'],
  ])
  expect(amounts(await world.read(payer, 'current'))).toEqual(['5 CPU, us: 5 second'])
})

test('recurring revenue is a twelfth of the year’s fees, whatever is used', async () => {
  const mrr = async () => {
    const { body } = await ask('GET', '/v1/subscription-stats')
    const minorOf = (plan: string) => {
      const found = body.plans.find((one: { plan: string }) => one.plan === plan)
      return Number(found?.mrr[0].minor ?? 0)
    }
    return [minorOf('annual'), minorOf('yen')]
  }
  const [usd = 0, jpy = 0] = await mrr()
  for (const [plan, addons] of [
    ['annual', [{ addon: 'backups', quantity: 2 }]],
    ['yen', []],
  ] as const) {
    const payer = await world.register(plan, '2026-01-31T00:00:00Z', { addons })
    await world.deliver()
    await world.use(payer, '500', '2026-01-31T00:00:00Z')
    await world.sync(payer)
  }
  // (1200.00 + 2 × 30.00) / 12, and 12,000 / 12
  expect(await mrr()).toEqual([usd + 10_500, jpy + 1000])
})
