import { defineCatalog } from '@lockstep/core/catalog'
import type { ContractDocument } from '@lockstep/core/contract'
import { expect, test } from 'vitest'
import { priceOverrideRoutes } from '../src/http/routes/price-overrides.ts'
import { explanationOf } from '../src/invoice/explain.ts'
import { overridePrice } from '../src/invoice/override-price.ts'
import { readContractInForce } from '../src/store/contracts.ts'
import { readNewestPlan } from '../src/store/plans.ts'
import { previewWish } from '../src/workflow/plan-change/preview.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

// A cent a second in most plans, at least 5.00 a month in some of them; a fee of 20.00.

const monthly = { product: 'cloud', interval: 'month' } as const
const fee = { kind: 'recurring', model: 'flat', amount: '20.00' } as const
const compute = { meter: 'seconds', model: 'perUnit', unitAmount: '0.01' } as const
const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: {
        seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
        cpu: { name: 'CPU', unitLabel: 'second', aggregation: 'sum', dimensions: ['region'] },
      },
      plans: {
        plain: { name: 'Plain', ...monthly, prices: { fee, compute } },
        bounded: {
          ...{ name: 'Bounded', ...monthly },
          prices: {
            fee,
            compute,
            least: { model: 'minimum', amount: '5.00' },
            most: { model: 'maximum', amount: '12.00' },
          },
        },
        roomy: {
          ...{ name: 'Roomy', ...monthly },
          prices: { fee, compute, least: { model: 'minimum', amount: '5.00' } },
        },
        dear: { name: 'Dear', ...monthly, prices: { fee, compute: { ...compute, unitAmount: '0.02' } } },
        regional: {
          ...{ name: 'Regional', ...monthly },
          prices: {
            fee,
            cpu: {
              ...{ meter: 'cpu', model: 'perUnit', unitAmount: '0.01' },
              ...{ groupBy: ['region'], unitAmounts: { eu: '0.02' } },
            },
          },
        },
        backed: {
          ...{ name: 'Backed', ...monthly },
          prices: { fee, backup: { ...fee, amount: '2.00', timing: 'inArrears' } },
        },
      },
    }),
  }),
)
const server = await newServer(world.deps, { clock: world.deps.clock })
priceOverrideRoutes(server.app, world.deps)

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

/** A month that runs since 10 January, with a thousand seconds of it used. */
async function subscribed(plan = 'plain'): Promise<Payer> {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '1000', '2026-01-11T00:00:00Z')
  return payer
}

type Body = { data: Body[]; id: string; code: string; errors: { pointer: string }[] } & Record<
  string,
  unknown
>

async function ask({ subscriptionId }: Payer, body: object, { dryRun = false, key = '' } = {}) {
  const answer = await server.call({
    method: 'POST',
    url: `/v1/subscriptions/${subscriptionId}/price-overrides?dryRun=${dryRun}`,
    payload: { reason: 'Ticket 4711', ...body },
    headers: key === '' ? {} : { 'idempotency-key': key },
  })
  return { status: answer.status, body: answer.body as Body }
}

const cheaper = { price: 'compute', terms: { model: 'perUnit', unitAmount: '0.008', included: '100' } }

async function agreed({ subscriptionId }: Payer) {
  const contract = await readContractInForce(world.db, subscriptionId)
  if (!contract) throw new Error('There is a contract.')
  const { agreement, supersedes } = JSON.parse(contract.document) as ContractDocument
  return { prices: agreement.prices, changes: supersedes?.changes }
}

async function lastAtStripe(payer: Payer) {
  const { invoice, lines } = (await world.atStripe(payer)).at(-1) ?? {}
  return { total: invoice?.total, lines }
}

test('from the period that runs on: shown before, billed by Stripe, told in the contract, and nobody else’s', async () => {
  const [ada, bob] = [await subscribed(), await subscribed()]
  const from = { from: 'currentPeriod' }
  const preview = await ask(ada, { ...cheaper, ...from }, { dryRun: true })
  // 900 beyond the 100 at 0.8 of a cent are 7.20 instead of 10.00, beside the fee.
  expect(preview).toMatchObject({
    status: 200,
    body: {
      startsAt: '2026-01-10T00:00:00Z',
      before: { amount: '30.00', currency: 'usd' },
      after: { amount: '27.20', currency: 'usd' },
      changes: ['prices/compute/unitAmount: 0.01 → 0.008', 'prices/compute/included: added, 100'],
    },
  })
  expect(amounts(await world.read(ada, 'current'))).toEqual(['1000 Seconds: 1,000 second', '2000 Plain'])

  const made = await ask(ada, { ...cheaper, ...from, agent: 'Eve' }, { key: 'own-price-1' })
  expect(made).toMatchObject({ status: 201, body: { reason: 'Ticket 4711', agent: 'Eve' } })
  const shown = await world.read(ada, 'current')
  expect(amounts(shown)).toEqual(['720 Seconds: 1,000 second', '2000 Plain'])
  expect(shown.lines[0] && explanationOf(shown.lines[0], []).slice(1)).toEqual([
    `compute: a price of this subscription's own (${made.body.id})`,
    'compute: 1,000 second measured (sum of 1 event)',
    'included: the first 100; of 1,000 there are 900 to pay for',
    'per unit: 900 × 0.008 = 7.2',
    'rounded once, half away from zero: 7.2 → 7.20 usd',
  ])
  expect(amounts(await world.read(bob, 'current'))).toEqual(['1000 Seconds: 1,000 second', '2000 Plain'])
  expect(await agreed(ada)).toMatchObject({
    prices: [{ key: 'fee' }, { key: 'compute', ratePicos: '800000000000', includedNanos: '100000000000' }],
    changes: preview.body.changes,
  })

  // The same again is the same, and one contract.
  const again = await ask(ada, { ...cheaper, ...from, agent: 'Eve' }, { key: 'own-price-1' })
  expect(again.body).toEqual(made.body)

  await world.sync(ada)
  const { total } = await world.stripe.invoices.createPreview({ subscription: ada.subscription })
  await go(ada, '2026-02-10T02:00:00Z')
  expect([total, (await lastAtStripe(ada)).total]).toEqual([2720, 2720])

  // It goes on by itself. What is over keeps it, whatever is decided later.
  await world.use(ada, '200', '2026-02-10T01:00:00Z')
  expect(amounts(await world.read(ada, 'current'))).toEqual(['80 Seconds: 200 second', '2000 Plain'])
  await ask(ada, { price: 'compute', terms: null, from: 'currentPeriod' })
  await world.use(ada, '100', '2026-01-12T00:00:00Z')
  expect(amounts(await world.read(ada, 'current'))).toEqual([
    '200 Seconds: 200 second',
    '80 Seconds: 100 second, reported late for 2026-01-10 to 2026-02-10',
    '2000 Plain',
  ])
  const { body } = await server.call({
    method: 'GET',
    url: `/v1/subscriptions/${ada.subscriptionId}/price-overrides`,
  })
  expect((body as Body).data.map(({ terms }) => (terms === null ? 'the plan’s' : 'its own'))).toEqual([
    ...['the plan’s', 'its own'],
  ])
})

test('a discount in one region alone: the others keep their rates, where they are said again', async () => {
  const ada = await world.register('regional', '2026-01-10T00:00:00Z')
  await go(ada, '2026-01-20T00:00:00Z')
  for (const region of ['eu', 'us']) await world.use(ada, '100', '2026-01-11T00:00:00Z', 'cpu', { region })
  expect(amounts(await world.read(ada, 'current'))).toEqual([
    '200 CPU, eu: 100 second',
    '100 CPU, us: 100 second',
    '2000 Regional',
  ])
  // A fifth off in Europe: 1.6 cents instead of 2.
  const terms = { model: 'perUnit', unitAmount: '0.01', unitAmounts: { eu: '0.016' } }
  const made = await ask(ada, { price: 'cpu', terms, from: 'currentPeriod' })
  expect(made).toMatchObject({ status: 201, body: { terms: { unitAmounts: { eu: '0.016' } } } })
  expect(amounts(await world.read(ada, 'current'))).toEqual([
    '160 CPU, eu: 100 second',
    '100 CPU, us: 100 second',
    '2000 Regional',
  ])
  expect((await agreed(ada)).changes).toEqual(['prices/cpu/unitAmounts/eu: 0.02 → 0.016'])
  await world.sync(ada)
  await go(ada, '2026-02-10T02:00:00Z')
  expect((await lastAtStripe(ada)).total).toBe(2260)

  const single = { price: 'compute', terms: { ...terms, unitAmounts: { eu: '0.016' } } }
  expect((await ask(await subscribed(), single)).body.errors).toMatchObject([
    { pointer: '#/terms/unitAmounts' },
  ])
})

test('from the next period on, also where that begins early because the cycle is begun anew', async () => {
  const payer = await subscribed()
  const { body } = await ask(payer, { ...cheaper, from: 'nextPeriod' })
  // As the cycle stands: nothing is different before.
  expect(body).toMatchObject({ from: 'nextPeriod', startsAt: '2026-02-10T00:00:00Z' })
  expect(amounts(await world.read(payer, 'current'))).toEqual(['1000 Seconds: 1,000 second', '2000 Plain'])
  await world.stripe.subscriptions.update(payer.subscription, { billing_cycle_anchor: { type: 'now' } })
  await world.deliver()
  await go(payer, '2026-01-25T00:00:00Z')
  await world.use(payer, '600', '2026-01-21T00:00:00Z')
  expect(amounts(await world.read(payer, 'current'))).toContain('400 Seconds: 600 second')
})

test.each([
  // 1,000 seconds at 0.8 of a cent, or at the plan's cent; by mistake they were 80.00.
  ['corrected', { model: 'perUnit', unitAmount: '0.008' }, '800000000000', '800 Seconds: 1,000 second'],
  ['taken back', null, '1000000000000', '1000 Seconds: 1,000 second'],
])(
  'a mistake for the next period that is %s from this one on stays so in the next',
  async (_, terms, rate, line) => {
    const payer = await subscribed()
    await ask(payer, { price: 'compute', terms: { model: 'perUnit', unitAmount: '0.08' } })
    await ask(payer, { price: 'compute', terms, from: 'currentPeriod' })
    expect(amounts(await world.read(payer, 'current'))).toEqual([line, '2000 Plain'])
    await world.sync(payer)
    await go(payer, '2026-02-10T02:00:00Z')
    await world.use(payer, '1000', '2026-02-10T01:00:00Z')
    expect(amounts(await world.read(payer, 'current'))).toEqual([line, '2000 Plain'])
    expect((await agreed(payer)).prices[1]).toMatchObject({ key: 'compute', ratePicos: rate })
  },
)

const deed = { reason: 'Ticket 4711', madeBy: 'api_key_1', agent: null, madeAt: 1_768_867_200 }

/** As an attempt does it whose operation began when the last letter of its name says. */
const override = (
  { subscriptionId }: Payer,
  letter: string,
  wanted: { price: string; terms: object | null },
) =>
  overridePrice(
    world.db,
    {
      ...{ ...wanted, subscriptionId, firstPeriod: 'currentPeriod' },
      // The first contract has the letters of its subscription: with another time in front it is never one of these.
      id: subscriptionId.replace(/^subscription_0/, 'price_override_7').replace(/.$/, letter),
    },
    deed,
  )

test('of two the one done last holds, also where it was asked for first and its attempt had died', async () => {
  const payer = await subscribed()
  await override(payer, 'b', { price: 'compute', terms: { model: 'perUnit', unitAmount: '0.03' } })
  await override(payer, 'a', cheaper)
  // 900 beyond the 100 at 0.8 of a cent, here as in the contract.
  expect(amounts(await world.read(payer, 'current'))).toEqual(['720 Seconds: 1,000 second', '2000 Plain'])
  expect((await agreed(payer)).prices[1]).toMatchObject({ ratePicos: '800000000000' })
  const page = async (after = '') => {
    const url = `/v1/subscriptions/${payer.subscriptionId}/price-overrides?limit=1${after}`
    return (await server.call({ method: 'GET', url })).body as Body
  }
  const first = await page()
  const second = await page(`&after=${first.data[0]?.id}`)
  expect([first, second].map(({ data }) => data[0]?.id.slice(-1))).toEqual(['a', 'b'])
  expect(second.hasMore).toBe(false)
})

/** What a change of plan writes first, before a contract says so. */
async function planOf({ subscriptionId }: Payer, key: string) {
  const version = await readNewestPlan(world.db, key)
  return { id: subscriptionId, planVersionId: version?.id ?? '' }
}

test('a contract has the prices of its own plan while the plan changes', async () => {
  const payer = await subscribed()
  await override(payer, 'a', cheaper)
  const { id, planVersionId } = await planOf(payer, 'dear')
  await world.db.updateTable('subscription').set({ planVersionId }).where('id', '=', id).execute()
  await override(payer, 'b', { price: 'compute', terms: null })
  // The cent of the plan that the contract names, not the two of the one that comes.
  expect((await agreed(payer)).prices[1]).toMatchObject({ key: 'compute', ratePicos: '1000000000000' })
})

test('whoever changes the plan is waited for, and the price is looked for on the new one', async () => {
  const payer = await subscribed()
  const { id, planVersionId } = await planOf(payer, 'roomy')
  const waits = async () => {
    const { rows } = await world.pool.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return rows.length
  }
  const { made } = await world.db.transaction().execute(async (trx) => {
    await trx.updateTable('subscription').set({ planVersionId }).where('id', '=', id).execute()
    const made = override(payer, 'a', { price: 'least', terms: { model: 'minimum', amount: '7.00' } })
    await expect.poll(waits).toBe(1)
    // Not awaited here, where it waits for the end of this.
    return { made }
  })
  await made
  const { body } = await server.call({ method: 'GET', url: `/v1/subscriptions/${id}/price-overrides` })
  expect((body as Body).data).toMatchObject([{ price: 'least' }])
})

test('bounds go together in every period, not only in the last', async () => {
  const payer = await subscribed('bounded')
  const bound = (price: string, model: string, amount: string, from: string) =>
    ask(payer, { price, terms: { model, amount }, from })
  const crossed = { status: 400, body: { errors: [{ pointer: '#/terms/amount', code: 'bounds_invalid' }] } }
  // At most 20.00 from the next period on; in this one it is still 12.00.
  expect((await bound('most', 'maximum', '20.00', 'nextPeriod')).status).toBe(201)
  expect(await bound('least', 'minimum', '15.00', 'currentPeriod')).toMatchObject(crossed)
  expect((await bound('least', 'minimum', '15.00', 'nextPeriod')).status).toBe(201)
  // The other way round: it would do in this period, whose least is 5.00, and not in the next.
  expect(await bound('most', 'maximum', '14.00', 'currentPeriod')).toMatchObject(crossed)
  // The plan's 12.00 again is less than 15.00; there is no amount to point at.
  expect(await ask(payer, { price: 'most', terms: null })).toMatchObject({
    ...{ status: 400, body: { errors: [{ pointer: '#/terms', code: 'bounds_invalid' }] } },
  })
})

test('a change of plan says that a minimum of its own is more than the new plan’s maximum', async () => {
  const payer = await subscribed('roomy')
  await ask(payer, { price: 'least', terms: { model: 'minimum', amount: '15.00' } })
  const warnings = async (plan: string) =>
    (
      await previewWish(
        { ...world.deps, secrets: ['a secret of a test'] },
        payer.subscriptionId,
        { plan },
        { mayGivePlans: true },
      )
    ).warnings
  expect(await warnings('bounded')).toEqual([
    "With the prices of this subscription's own the least that usage costs on Bounded is more than the most: no more than the most is billed.",
  ])
  expect(await warnings('plain')).toEqual([])
})

test('a minimum of its own, and bounds the wrong way round', async () => {
  const payer = await subscribed('bounded')
  const least = (amount: string) => ({
    price: 'least',
    terms: { model: 'minimum', amount },
    from: 'currentPeriod',
  })
  expect(await ask(payer, least('12.01'))).toMatchObject({
    ...{ status: 400, body: { code: 'invalid_request', errors: [{ pointer: '#/terms/amount' }] } },
  })
  await ask(payer, least('11.00'))
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '1000 Seconds: 1,000 second',
    '100 Least: 10.00 used of 11.00 USD',
    '2000 Bounded',
  ])
})

test.each([
  ['a fee', { price: 'fee', terms: { model: 'flat', amount: '1.00' } }, 409, 'price_not_overridable'],
  ['no such price', { price: 'nix', terms: null }, 400, 'invalid_request'],
  [
    'another kind',
    { price: 'compute', terms: { model: 'percentage', percent: '1' } },
    400,
    'invalid_request',
  ],
  [
    'half a picocent',
    { price: 'compute', terms: { model: 'perUnit', unitAmount: '0.0000000000000001' } },
    400,
    'invalid_request',
  ],
])('%s is refused, and nothing is changed', async (_name, body, status, code) => {
  const payer = await subscribed()
  for (const dryRun of [true, false]) {
    expect(await ask(payer, body, { dryRun })).toMatchObject({ status, body: { code } })
  }
  expect((await agreed(payer)).changes).toBeUndefined()
})

test('a fee in arrears is refused like one in advance: the recurring revenue goes by the plan', async () => {
  const payer = await world.register('backed', '2026-01-10T00:00:00Z')
  await world.deliver()
  expect(await ask(payer, { price: 'backup', terms: { model: 'flat', amount: '1.00' } })).toMatchObject({
    status: 409,
    body: {
      ...{ code: 'price_not_overridable' },
      detail:
        'backup of backed is a fee, not a price of usage: a plan of its own, or a coupon, changes it for one customer.',
    },
  })
})

test('a subscription that is over has no price of its own any more', async () => {
  const payer = await subscribed()
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  expect(await ask(payer, cheaper)).toMatchObject({ status: 409, body: { code: 'price_not_overridable' } })
})
