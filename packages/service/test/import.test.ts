import { defineCatalog } from '@lockstep/core/catalog'
import Stripe from 'stripe'
import type { Simulator } from 'stripe-simulator'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { newSimulator } from '../../../test/support/simulator.ts'
import { importRoutes } from '../src/http/routes/imports.ts'
import { drainInbox } from '../src/inbox/process.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { foresee } from '../src/workflow/import/foresee.ts'
import { prove } from '../src/workflow/import/prove.ts'
import { readAll } from '../src/workflow/import/read-account.ts'
import { unlinkByHand } from '../src/workflow/link-by-hand.ts'
import { type Installation, newInstallation } from './support/installation.ts'
import { receiveListed } from './support/receive-listed.ts'

let simulator: Simulator
let stripe: Stripe
let one: Installation
beforeEach(async () => {
  simulator = await newSimulator()
  one = await newInstallation(simulator)
  importRoutes(one.app, { ...one.deps, workflows: one.workflows })
  stripe = one.deps.provider.stripe
})
afterEach(async () => {
  await one.close()
  await simulator.close()
})

interface Import {
  readonly id: string
  readonly state: string
  readonly progress: readonly Record<string, unknown>[]
  readonly refusals: readonly Record<string, unknown>[]
  readonly left: readonly { providerId: string; reason: string }[]
  readonly proof: Record<string, unknown> | null
}

async function ended(id: string): Promise<Import> {
  const { rows } = await one.database.pool.query('select workflow_id from import_run where id = $1', [id])
  await one.workflows.settled(rows[0].workflow_id, 60)
  const { status, body } = await one.ask('GET', `/v1/imports/${id}`)
  expect(status).toBe(200)
  return body as unknown as Import
}

async function run(dryRun: boolean): Promise<Import> {
  const { status, body } = await one.ask('POST', '/v1/imports', { dryRun })
  expect(status).toBe(202)
  return ended(body.id as string)
}

const usd = (amount: string, minor: string) => ({ amount, minor, currency: 'usd' })

const of = ({ progress }: Import, type: string) => progress.find((row) => row.type === type)
const count = async (text: string) =>
  Number((await one.database.pool.query(`select count(*) as count ${text}`)).rows[0].count)

/** A monthly and a yearly price of one product, and customers who pay them; nothing of it made by us. */
async function account() {
  const product = await stripe.products.create({ name: 'Team' })
  const monthly = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 1200,
    recurring: { interval: 'month' },
  })
  const yearly = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 12000,
    recurring: { interval: 'year' },
  })
  const subscribe = async (
    name: string,
    price: string,
    more: Partial<Stripe.SubscriptionCreateParams> = {},
  ) => {
    const customer = await stripe.customers.create({ name, email: `${name}@example.org` })
    await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const { data } = await stripe.paymentMethods.list({ customer: customer.id })
    await stripe.customers.update(customer.id, {
      invoice_settings: { default_payment_method: data[0]?.id ?? '' },
    })
    return stripe.subscriptions.create({ customer: customer.id, items: [{ price }], ...more })
  }
  return { product, monthly, yearly, subscribe }
}

test('a dry run says what would be made; the import makes it, proves it, and a second one finds nothing new', async () => {
  const { product, monthly, yearly, subscribe } = await account()
  const ada = await subscribe('ada', monthly.id, { items: [{ price: monthly.id, quantity: 3 }] })
  const bob = await subscribe('bob', yearly.id)
  const cat = await subscribe('cat', monthly.id, { trial_period_days: 14 })
  const over = await subscribe('dan', monthly.id)
  await stripe.subscriptions.cancel(over.id)
  await stripe.subscriptions.update(bob.id, { cancel_at_period_end: true })
  const seats = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [{ up_to: 'inf', unit_amount: 500, flat_amount: 700 }],
    recurring: { interval: 'month' },
  })
  const none = await subscribe('eli', seats.id, { items: [{ price: seats.id, quantity: 0 }] })
  const before = await everything()

  const planned = await run(true)
  expect(of(planned, 'customer')).toMatchObject({ made: 5, known: 0, foreign: 0, refused: 0 })
  expect(of(planned, 'subscription')).toMatchObject({ made: 5 })
  expect(planned).toMatchObject({ state: 'completed', proof: null })
  expect(await count('from customer')).toBe(0)

  const done = await run(false)
  expect(done.refusals).toEqual([])
  // Twelve dollars three times, a twelfth of 120 and the 7 that no seat costs: the trial brings nothing yet, the canceled one nothing any more.
  expect(done.proof).toMatchObject({
    mrr: [{ there: usd('53.00', '5300'), here: usd('53.00', '5300') }],
    subscriptions: 5,
    unequalCount: 0,
    counts: [
      { type: 'product', there: 1, here: 1 },
      { type: 'customer', there: 5, here: 5 },
      { type: 'subscription', there: 5, here: 5 },
    ],
  })
  const { rows } = await one.database.pool.query(
    `select m.provider_id as id, s.status, s.quantity, s.cancel_at_period_end as ends, v.interval
       from subscription s join mapping m on m.entity_id = s.id and m.origin = 'import'
       join plan_version v on v.id = s.plan_version_id`,
  )
  expect(new Map(rows.map(({ id, ...row }) => [id, row]))).toEqual(
    new Map([
      [ada.id, { status: 'active', quantity: 3, ends: false, interval: 'month' }],
      [bob.id, { status: 'active', quantity: 1, ends: true, interval: 'year' }],
      [cat.id, { status: 'trialing', quantity: 1, ends: false, interval: 'month' }],
      [none.id, { status: 'active', quantity: 0, ends: false, interval: 'month' }],
      [over.id, { status: 'canceled', quantity: 1, ends: false, interval: 'month' }],
    ]),
  )

  const seen = async () =>
    (
      await one.database.pool.query(
        `select id, observation from provider_object where type = 'price' order by id`,
      )
    ).rows
  const prices = await seen()
  const again = await run(false)
  // What is as it was seen is not written down once more.
  expect(prices).toHaveLength(3)
  expect(await seen()).toEqual(prices)
  for (const row of again.progress) expect(row).toMatchObject({ made: 0, refused: 0 })
  expect(await count('from customer')).toBe(5)
  expect(await count('from subscription')).toBe(5)
  // Nothing was changed there, by any of the three.
  expect(await everything()).toEqual(before)
})

test("another installation's objects are left alone, and what cannot be taken up is named with its reason", async () => {
  const foreign = await stripe.customers.create({ metadata: { lockstep_instance: 'instance_other' } })
  const { product, subscribe } = await account()
  const tiered = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 10, unit_amount: 100 },
      { up_to: 'inf', unit_amount: 50 },
    ],
    recurring: { interval: 'month' },
  })
  // A package for 10.5 cents is nothing that can be paid here.
  const fine = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount_decimal: Stripe.Decimal.from('10.5'),
    transform_quantity: { divide_by: 100, round: 'up' },
    recurring: { interval: 'month' },
  })
  const { id } = await subscribe('eve', tiered.id, { items: [{ price: tiered.id, quantity: 30 }] })
  const refused = await subscribe('fay', fine.id)
  const done = await run(false)
  expect(of(done, 'customer')).toMatchObject({ foreign: 1 })
  expect(await count(`from mapping where provider_id = '${foreign.id}'`)).toBe(0)
  // Ten for 1.00 and twenty for 0.50.
  expect(done.proof).toMatchObject({
    unequalCount: 0,
    mrr: [{ there: usd('20.00', '2000'), here: usd('20.00', '2000') }],
  })
  expect(await count(`from mapping where provider_id = '${id}'`)).toBe(1)
  expect(done.refusals.map(({ type, providerId, code }) => [type, providerId, code])).toEqual([
    ['price', fine.id, 'price_unreadable'],
    ['subscription', refused.id, 'price_unreadable'],
  ])
})

test('a price that gets no link is counted as left in every run, with the reason, and one that is refused as refused', async () => {
  const catalog = defineCatalog({
    currency: 'usd',
    products: { solo: { name: 'Solo' } },
    plans: {
      solo: {
        ...{ name: 'Solo', product: 'solo', interval: 'month' },
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '9.00' } },
      },
    },
  })
  await applyCatalog({ ...one.deps, workflows: one.workflows }, catalog)
  const [ours] = (await stripe.products.list({ limit: 1 })).data
  const { product } = await account()
  const common = { currency: 'usd', recurring: { interval: 'month' } } as const
  const beside = await stripe.prices.create({ ...common, product: ours?.id ?? '', unit_amount: 800 })
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  })
  const metered = await stripe.prices.create({
    ...{ currency: 'usd', product: product.id, unit_amount: 1 },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const fine = await stripe.prices.create({
    ...{ ...common, product: product.id, unit_amount_decimal: Stripe.Decimal.from('10.5') },
    transform_quantity: { divide_by: 100, round: 'up' },
  })
  const left = (run: Import) => new Map(run.left.map(({ providerId, reason }) => [providerId, reason]))
  const expected = new Map([
    [beside.id, 'catalogue'],
    [metered.id, 'metered'],
  ])
  // Ours is known, two are made, two left, one is refused.
  const first = { looked: 6, left: 2, refused: 1 }
  const planned = await run(true)
  expect(of(planned, 'price')).toMatchObject({ ...first, known: 1, made: 2 })
  expect(planned.refusals).toMatchObject([{ providerId: fine.id, code: 'price_unreadable' }])
  expect(left(planned)).toEqual(expected)
  const done = await run(false)
  expect(of(done, 'price')).toMatchObject({ ...first, known: 1, made: 2 })
  expect(left(done)).toEqual(expected)
  for (const dry of [true, false]) {
    const again = await run(dry)
    expect(of(again, 'price')).toMatchObject({ ...first, known: 3, made: 0 })
    expect(left(again)).toEqual(expected)
  }
})

test('discounts come with the pages that show them: no subscription is asked for by itself', async () => {
  const { monthly, subscribe } = await account()
  const fifth = await stripe.coupons.create({
    ...{ id: 'FIFTH', name: 'A fifth', percent_off: 20, duration: 'forever' },
  })
  const gone = await stripe.coupons.create({
    ...{ id: 'GONE', name: 'Two off', amount_off: 200, currency: 'eur', duration: 'forever' },
    currency_options: { usd: { amount_off: 250 } },
  })
  for (const name of ['ada', 'bob', 'cat', 'dan', 'eli', 'fay'])
    await subscribe(name, monthly.id, { discounts: [{ coupon: fifth.id }] })
  for (const name of ['gus', 'hal', 'ivy', 'jon', 'kim', 'lea', 'max', 'ned', 'oda', 'pia'])
    await subscribe(name, monthly.id, { discounts: [{ coupon: gone.id }] })
  const owner = await subscribe('quinn', monthly.id)
  simulator.control.discountCustomer(owner.customer as string, fifth.id)
  // Discounts that run go on.
  await stripe.coupons.del(gone.id)
  simulator.control.clearRequests()

  const done = await run(false)
  expect(done.refusals).toEqual([])
  const asked = simulator.control
    .requests()
    .requests.filter(({ path }) => /^\/v1\/(subscriptions|customers|coupons)\/./.test(path))
  // Of the coupon that no list shows any more, by whoever of the four at work came first.
  expect(asked.length).toBeGreaterThanOrEqual(1)
  expect(asked.length).toBeLessThanOrEqual(4)
  const { rows } = await one.database.pool.query(
    `select terms->>'name' as name, terms->'off' as off, products, count(*)::int from provider_discount
      group by 1, 2, 3 order by 1`,
  )
  expect(rows).toEqual([
    { name: 'A fifth', off: { kind: 'percent', percent: '20' }, products: [], count: 7 },
    { name: 'Two off', off: { kind: 'amount', minor: '250', currency: 'usd' }, products: [], count: 10 },
  ])
  // What a list showed is what an event shows: a second run finds nothing to write.
  const seen = async () =>
    (await one.database.pool.query('select id, observation from provider_object order by id')).rows
  const before = await seen()
  simulator.control.clearRequests()
  await run(false)
  expect(await seen()).toEqual(before)
})

test('what waits to be billed stands on the current invoice, whenever it was put there', async () => {
  const { monthly, subscribe } = await account()
  const ada = await subscribe('ada', monthly.id)
  const customer = ada.customer as string
  await stripe.invoiceItems.create({ customer, subscription: ada.id, amount: 399, currency: 'usd' })
  await stripe.invoiceItems.create({ customer, amount: -150, currency: 'usd' })
  const nobody = await stripe.customers.create({ metadata: { lockstep_instance: 'instance_other' } })
  await stripe.invoiceItems.create({ customer: nobody.id, amount: 5, currency: 'usd' })
  expect(of(await run(true), 'pending item')).toMatchObject({ looked: 3, made: 2, foreign: 1 })
  const done = await run(false)
  expect(of(done, 'pending item')).toMatchObject({ looked: 3, made: 2, foreign: 1, refused: 0 })
  const { rows } = await one.database.pool.query(
    `select content ->> 'amount' as amount, subscription_id is null as loose from pending_item order by loose`,
  )
  expect(rows).toEqual([
    { amount: '399', loose: false },
    { amount: '-150', loose: true },
  ])
  expect(of(await run(false), 'pending item')).toMatchObject({ looked: 3, known: 2, foreign: 1 })
})

test('webhooks may come all the while: each object is taken up once', async () => {
  const { monthly, subscribe } = await account()
  for (const name of ['fay', 'gus', 'hal']) await subscribe(name, monthly.id)
  const { body } = await one.ask('POST', '/v1/imports', { dryRun: false })
  await receiveListed(one.deps)
  await drainInbox(one.deps)
  const done = await ended(body.id as string)
  await drainInbox(one.deps)
  expect(done.proof).toMatchObject({ unequalCount: 0 })
  for (const table of ['customer', 'subscription']) expect(await count(`from ${table}`)).toBe(3)
  expect(await count(`from provider_event where state in ('received', 'parked')`)).toBe(0)
})

test('one at a time, and the same request begins one', async () => {
  const first = await one.ask('POST', '/v1/imports', {}, 'key-1')
  const same = await one.ask('POST', '/v1/imports', {}, 'key-1')
  expect(same.body.id).toBe(first.body.id)
  await ended(first.body.id as string)
  await one.database.pool.query('update import_run set ended_at = null')
  const second = await one.ask('POST', '/v1/imports', {}, 'key-2')
  expect(second).toMatchObject({ status: 409, body: { code: 'import_in_progress' } })
  expect(await one.ask('GET', '/v1/imports/import_none')).toMatchObject({
    status: 404,
    body: { code: 'import_not_found' },
  })
  const { body } = await one.ask('GET', '/v1/imports?limit=1')
  expect(body).toMatchObject({ data: [{ id: first.body.id, state: 'running' }], hasMore: false })
})

test('one that is refused has failed, says why, and is in the way of no other', async () => {
  const refused = new Stripe.errors.StripeInvalidRequestError({
    ...{ type: 'invalid_request_error', message: 'Unrecognized request URL.', statusCode: 400 },
  } as ConstructorParameters<typeof Stripe.errors.StripeInvalidRequestError>[0])
  vi.spyOn(stripe.customers, 'list').mockImplementationOnce((() => Promise.reject(refused)) as never)
  const failed = await run(false)
  expect(failed).toMatchObject({ state: 'failed', problem: { code: 'provider_refused' }, proof: null })
  const { body } = await one.ask('GET', '/v1/imports')
  expect(body.data).toMatchObject([{ state: 'failed', problem: { code: 'provider_refused' } }])
  expect(await run(false)).toMatchObject({ state: 'completed', problem: null })
})

test('where the object is gone behind which it would go on, it begins that list anew, and counts it once', async () => {
  const { subscribe, monthly } = await account()
  for (const name of ['ivy', 'jon']) await subscribe(name, monthly.id)
  const { id: importId } = await run(true)
  await one.database.pool.query(
    `update import_cursor set last_id = 'cus_gone', ended_at = null where import_id = $1 and type = 'customer'`,
    [importId],
  )
  await readAll(one.deps, { importId, type: 'customer', dryRun: true })
  const { body } = await one.ask('GET', `/v1/imports/${importId}`)
  expect(of(body as unknown as Import, 'customer')).toMatchObject({ looked: 2, made: 2, known: 0 })
})

/** Everything there that an import might have touched. */
async function everything(): Promise<unknown[]> {
  const lists = await Promise.all([
    stripe.customers.list({ limit: 100 }),
    stripe.subscriptions.list({ limit: 100, status: 'all' }),
    stripe.products.list({ limit: 100 }),
    stripe.prices.list({ limit: 100 }),
    stripe.invoices.list({ limit: 100 }),
    stripe.events.list({ limit: 1 }),
  ])
  return lists.map(({ data }) => data)
}

test('an end that somebody guessed is no end: an import repairs the row, and the history goes on', async () => {
  const { monthly, subscribe } = await account()
  await subscribe('ada', monthly.id)
  await run(false)
  const { pool } = one.database
  const subscription = async () =>
    (await pool.query('select status, ended_at, cancel_at, current_period_end from subscription')).rows
  const before = await subscription()
  expect(before).toMatchObject([{ status: 'active', ended_at: null, cancel_at: null }])
  await pool.query("update subscription set ended_at = '2031-01-01', cancel_at = '2031-01-01'")
  await pool.query("update subscription_history set ends_at = '2031-01-01'")
  const { proof } = await run(false)
  expect(await subscription()).toEqual(before)
  expect(proof).toMatchObject({ subscriptions: 1, unequalCount: 0 })
  // The last stretch goes on, and none ends when somebody guessed it would.
  expect(await count("from subscription_history where ends_at = 'infinity'")).toBe(1)
  expect(await count("from subscription_history where ends_at = '2031-01-01'")).toBe(0)
})

test('the proof names whose month brings another amount, on both sides, and how far it is is seen', async () => {
  const { monthly, yearly, subscribe } = await account()
  const ada = await subscribe('ada', monthly.id)
  const bob = await subscribe('bob', yearly.id)
  const cat = await subscribe('cat', monthly.id)
  await subscribe('dan', monthly.id)
  const first = await run(false)
  expect(first.proof).toMatchObject({ unequalRevenueCount: 0, unequalRevenue: [] })
  const { pool } = one.database
  const ours = async (providerId: string) => {
    const { rows } = await pool.query(
      `select s.id, s.customer_id as customer from subscription s join mapping m on m.entity_id = s.id
       where m.provider_id = $1`,
      [providerId],
    )
    return rows[0]
  }
  const [hers, his, theirs] = [await ours(ada.id), await ours(bob.id), await ours(cat.id)]
  const setFee = (id: string, fee: number) =>
    pool.query('update subscription_history set fee = $2 where subscription_id = $1', [id, fee])
  await setFee(hers.id, 1500)
  // A cent a year less: 9.99 11/12, which is 10.00 as it is rounded.
  await setFee(his.id, 11_999)
  // Its month is paid here, and Stripe's picture of it is lost.
  await pool.query(`update provider_object set gone = true where id = $1`, [cat.id])
  await stripe.subscriptions.cancel(cat.id)
  await pool.query(
    `update subscription_history set status = 'active', ends_at = 'infinity' where subscription_id = $1`,
    [theirs.id],
  )
  const proof = await prove(one.deps, { importId: first.id, since: 0n })
  const amounts = (there: string, here: string) => ({ there, here, currency: 'usd' })
  const named = [
    { subscription: hers.id, customer: hers.customer, providerId: ada.id, ...amounts('1200', '1500') },
    { subscription: his.id, customer: his.customer, providerId: bob.id, ...amounts('1000', '1000') },
    { subscription: theirs.id, customer: theirs.customer, providerId: cat.id, ...amounts('0', '1200') },
  ]
  const byId = (a: { providerId: string | null }, b: { providerId: string | null }) =>
    `${a.providerId}` < `${b.providerId}` ? -1 : 1
  expect(proof.unequalRevenue.toSorted(byId)).toEqual(named.toSorted(byId))
  expect(proof).toMatchObject({
    unequalRevenueCount: 3,
    // 12.00 twice and 10.00 a month; here 3.00 more of one, a cent a year less of another, and 12.00 of one that is over there.
    mrr: [{ currency: 'usd', there: '3400', here: '4900' }],
  })
})

// https://docs.stripe.com/billing/subscriptions/mixed-interval
test.each(['monthly first', 'yearly first'])(
  'an item in another rhythm than the plan is named, and the proof holds: %s',
  async (order) => {
    const { monthly, subscribe } = await account()
    const extra = await stripe.products.create({ name: 'Domain' })
    const yearly = await stripe.prices.create({
      ...{ product: extra.id, currency: 'usd', unit_amount: 9000, recurring: { interval: 'year' } },
    })
    const items = [{ price: monthly.id, quantity: 2 }, { price: yearly.id }]
    const mixed = await subscribe('ada', monthly.id, {
      items: order === 'monthly first' ? items : items.toReversed(),
      billing_mode: { type: 'flexible' },
    })
    await subscribe('bob', monthly.id)
    const { proof, refusals } = await run(false)
    expect(refusals).toEqual([])
    // Two at 12.00 and one, and 90.00 a year: 7.50 a month.
    const [here, alone] =
      order === 'monthly first'
        ? [usd('36.00', '3600'), { price: yearly.id, month: usd('7.50', '750') }]
        : [usd('19.50', '1950'), { price: monthly.id, month: usd('24.00', '2400') }]
    expect(proof).toMatchObject({
      ...{ unequalCount: 0, unequal: [], unequalRevenueCount: 0, unequalRevenue: [] },
      mrr: [{ there: here, here }],
      billedThereCount: 1,
      billedThere: [{ providerId: mixed.id, because: 'rhythm', ...alone }],
    })
    expect((await findDrift(one.deps)).drifts).toEqual([])
  },
)

test('a dry run names a subscription that is billed in another currency than its price, and so does the import', async () => {
  const { product, subscribe } = await account()
  const price = await stripe.prices.create({
    ...{ product: product.id, recurring: { interval: 'month' }, currency: 'usd', unit_amount: 900 },
    currency_options: { eur: { unit_amount: 800 } },
  })
  const ada = await subscribe('ada', price.id, { currency: 'eur' })
  for (const dryRun of [true, false]) {
    const { progress, refusals } = await run(dryRun)
    const row = progress.find(({ type }) => type === 'subscription')
    expect(row).toMatchObject({ looked: 1, made: 0, refused: 1 })
    expect(refusals).toMatchObject([{ providerId: ada.id, code: 'price_unreadable' }])
  }
  // What it says helps.
  const euros = await stripe.prices.create({
    ...{ product: product.id, recurring: { interval: 'month' }, currency: 'eur', unit_amount: 800 },
  })
  await stripe.subscriptions.update(ada.id, {
    items: [{ id: ada.items.data[0]?.id ?? '', price: euros.id }],
    proration_behavior: 'none',
  })
  const { refusals, proof } = await run(false)
  expect(refusals).toEqual([])
  expect(proof).toMatchObject({ subscriptions: 1, unequalCount: 0, unequalRevenueCount: 0 })
})

test('what is billed in another currency than its price is in is counted in that one, and is named as billed by Stripe alone', async () => {
  const { product, subscribe } = await account()
  const every = { product: product.id, recurring: { interval: 'month' } } as const
  const inYen = await stripe.prices.create({ ...every, currency: 'jpy', unit_amount: 1500 })
  const seats = { currency: 'usd', unit_amount: 700, currency_options: { jpy: { unit_amount: 600 } } }
  const beside = await stripe.prices.create({ ...every, ...seats, nickname: 'Seats' })
  const stepped = await stripe.prices.create({
    ...{ ...every, currency: 'usd', billing_scheme: 'tiered', tiers_mode: 'graduated' },
    tiers: [{ up_to: 'inf', unit_amount: 1 }],
    currency_options: { jpy: { tiers: [{ up_to: 'inf', unit_amount: 10, flat_amount: 50 }] } },
  })
  const ada = await subscribe('ada', inYen.id)
  await run(false)
  for (const [price, quantity] of [
    [beside.id, 2],
    [stepped.id, 3],
  ] as const)
    await stripe.subscriptionItems.create({ subscription: ada.id, price, quantity })
  const { proof } = await run(false)
  // 1,500 here, and twice 600 and 50 + 3 × 10 there; what stands beside the plan in another currency is billed by Stripe alone.
  const yen = (minor: string) => ({ amount: minor, minor, currency: 'jpy' })
  expect(proof).toMatchObject({
    mrr: [{ there: yen('1500'), here: yen('1500') }],
    ...{ unequalRevenueCount: 0, unequalRevenue: [], billedThereCount: 2 },
    billedThere: [
      { providerId: ada.id, price: beside.id, because: 'currency', month: yen('1200') },
      { providerId: ada.id, price: stepped.id, because: 'currency', month: yen('80') },
    ],
  })
})

test('of who was imported drift finds final invoices that nothing told of, and none from before that', async () => {
  const { monthly, subscribe } = await account()
  const ada = await subscribe('ada', monthly.id)
  await run(false)
  const takenUpAt = (at: number) =>
    one.database.pool.query(
      `update mapping set created_at = to_timestamp($1) where entity_type = 'customer'`,
      [at],
    )
  await takenUpAt(ada.created + 60)
  expect((await findDrift(one.deps)).drifts).toEqual([])
  await takenUpAt(ada.created - 60)
  const { repairs, left } = await repairDrift(one.deps)
  expect(repairs).toMatchObject([
    {
      drift: { entity: 'invoice', kind: 'missingHere', providerId: ada.latest_invoice, repair: 'look' },
      refused: null,
    },
  ])
  expect(left.drifts).toEqual([])
})

test('what comes behind the lists says how far it is, and how long it takes', async () => {
  const { monthly, subscribe } = await account()
  for (const name of ['ada', 'bob', 'cat', 'dan']) await subscribe(name, monthly.id)
  const done = await run(false)
  expect(of(done, 'subscription again')).toMatchObject({ looked: 4, known: 4, made: 0, expected: 4 })
  expect(of(done, 'subscription proved')).toMatchObject({ looked: 4, known: 4, refused: 0, expected: 4 })
  const { pool } = one.database
  // As one of them stands that is at work: half of the first pass, begun ten seconds ago.
  const began = one.deps.clock.now() - 10
  await pool.query('update import_run set ended_at = null where id = $1', [done.id])
  await pool.query(`delete from import_cursor where type = 'subscription proved'`)
  await pool.query(
    `update import_cursor set ended_at = null, looked = 2, known = 2, started_at = $1 where type = 'subscription again'`,
    [new Date(began * 1000)],
  )
  const { body } = await one.ask('GET', `/v1/imports/${done.id}`)
  // Two in so many seconds; two of this pass are left, and four of the next: three times as many. Ten of them, and what the
  // machine took to ask.
  const left = (body as { secondsLeft: number }).secondsLeft
  expect(left).toBeGreaterThanOrEqual(30)
  expect(left).toBeLessThanOrEqual(3 * (one.deps.clock.now() - began))
  await pool.query('update import_run set ended_at = created_at where id = $1', [done.id])
  // An altered row is written down anew, and that is counted.
  await pool.query("update subscription set cancel_at = '2031-01-01'")
  expect(of(await run(false), 'subscription again')).toMatchObject({ looked: 4, known: 0, made: 4 })
})

test('a dry run says of what belongs to deleted or foreign ones what the import does with it', async () => {
  const { product, monthly, subscribe } = await account()
  await subscribe('ada', monthly.id)
  const theirs = await subscribe('cat', monthly.id, { collection_method: 'send_invoice', days_until_due: 30 })
  await stripe.invoiceItems.create({
    ...{ customer: idOf(theirs.customer), subscription: theirs.id, amount: 500, currency: 'usd' },
  })
  await stripe.customers.update(idOf(theirs.customer), { metadata: { lockstep_instance: 'other' } })
  // A customer of nobody's pays beside it for what another installation sells.
  const shared = await subscribe('dan', monthly.id, { metadata: { lockstep_instance: 'other' } })
  const item = { customer: idOf(shared.customer), amount: 700, currency: 'usd' }
  await stripe.invoiceItems.create({ ...item, subscription: shared.id })
  await stripe.invoiceItems.create(item)
  const foreign = await stripe.products.create({ name: 'Other', metadata: { lockstep_instance: 'other' } })
  for (const sold of [foreign.id, product.id])
    await stripe.prices.create({
      ...{ product: sold, currency: 'usd', unit_amount: 900, recurring: { interval: 'week' } },
    })
  const meter = await stripe.billing.meters.create({
    ...{ display_name: 'Calls', event_name: 'calls', default_aggregation: { formula: 'sum' } },
  })
  await stripe.prices.create({
    ...{ product: product.id, currency: 'usd', unit_amount: 1 },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const counted = ({ progress, left: prices }: Import) => [
    progress
      .filter(({ type }) => !String(type).startsWith('subscription '))
      .toSorted((a, b) => (String(a.type) < String(b.type) ? -1 : 1))
      .map(({ type, made, known, foreign: others, refused, left }) => [
        type,
        made,
        known,
        others,
        refused,
        left,
      ]),
    prices.map(({ reason }) => reason),
  ]
  const planned = await run(true)
  const done = await run(false)
  expect(done.refusals).toEqual([])
  expect(counted(planned)).toEqual(counted(done))
  expect(of(planned, 'subscription')).toMatchObject({ made: 1, foreign: 2 })
  expect(of(planned, 'pending item')).toMatchObject({ made: 1, foreign: 2 })
})

test('what is left of a customer who was deleted at Stripe is none of ours, and a dry run says so', async () => {
  const { monthly, subscribe } = await account()
  const object = await subscribe('ada', monthly.id)
  const invoice = await stripe.invoices.retrieve(idOf(object.latest_invoice ?? ''))
  const how = { observation: 1n, source: 'fetch' } as const
  const left = [
    { ...how, type: 'subscription', object },
    { ...how, type: 'invoice', object: invoice },
  ] as const
  const { id } = await stripe.customers.retrieve(idOf(object.customer))
  // As a list shows whom Stripe has no more, asked for with it: https://docs.stripe.com/api/expanding_objects
  const customer = { id, object: 'customer', deleted: true } as const
  for (const observed of left) {
    expect(await foresee(one.deps, observed, {})).toBe('made')
    expect(await foresee(one.deps, observed, { customer })).toBe('foreignObjects')
  }
})

test('a customer whom a person unlinked is left alone, until a subscription of theirs is taken up', async () => {
  const { monthly } = await account()
  const { id: customer } = await stripe.customers.create({ name: 'Ada' })
  await run(false)
  const link = `from mapping where entity_type = 'customer' and provider_id = '${customer}'`
  const { rows } = await one.database.pool.query(`select entity_id ${link}`)
  await unlinkByHand(one.deps, 'customer', rows[0].entity_id)
  // What is as it was seen is passed over: this is not.
  await stripe.customers.update(customer, { name: 'Ada Byron' })
  for (const dryRun of [true, false])
    expect(of(await run(dryRun), 'customer')).toMatchObject({ foreign: 1, made: 0, refused: 0 })
  expect(await count(link)).toBe(0)
  const { id: method } = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  await stripe.subscriptions.create({
    ...{ customer, default_payment_method: method, items: [{ price: monthly.id }] },
  })
  expect(of(await run(false), 'subscription')).toMatchObject({ made: 1, refused: 0 })
  expect((await one.database.pool.query(`select entity_id ${link}`)).rows).toEqual(rows)
  expect(await count('from customer')).toBe(1)
})
