// Fees by the year, usage by the month: docs.stripe.com/api/subscriptions/object on pending_invoice_item_interval.
import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { readGrants } from '../src/store/entitlements.ts'
import { doDue } from '../src/workflow/due.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const compute = {
  ...({ meter: 'seconds', product: 'compute', model: 'graduated' } as const),
  tiers: [
    { upTo: '100', unitAmount: '0.10' },
    { upTo: null, unitAmount: '0.01' },
  ],
}
const yearly = { product: 'cloud', interval: 'year', usageInterval: 'month' } as const
const fee = (amount: string) => ({ kind: 'recurring', model: 'flat', amount }) as const

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  features: { running: { name: 'Running', kind: 'metered', meter: 'seconds' } },
  coupons: { fifth: { name: 'A fifth', percentOff: '20', duration: 'forever' } },
  plans: {
    annual: { ...yearly, name: 'Annual', prices: { fee: fee('120.00'), compute } },
    promised: {
      ...yearly,
      name: 'Promised',
      prices: {
        fee: fee('120.00'),
        compute: {
          meter: 'seconds',
          product: 'compute',
          model: 'perUnit',
          unitAmount: '0.10',
          included: '100',
        },
        least: { model: 'minimum', amount: '5.00' },
        most: { model: 'maximum', amount: '9.00' },
      },
    },
    monthly: { product: 'cloud', name: 'Monthly', interval: 'month', prices: { fee: fee('12.00'), compute } },
    trying: { ...yearly, name: 'Trying', trialDays: 14, prices: { fee: fee('120.00'), compute } },
    granting: {
      ...yearly,
      name: 'Granting',
      prices: { fee: fee('120.00'), compute },
      grants: { running: { upTo: '100', beyond: 'refused' } },
    },
    quarters: {
      ...yearly,
      name: 'Quarters',
      usageIntervalCount: 3,
      prices: { fee: fee('120.00'), compute },
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
})

const world = await shared(newBillingWorld({ catalog }))

const at = (time: string) => Date.parse(time) / 1000

/** Turns the clock, takes in what happened, does what is due, and tells Stripe. */
async function go(payer: Payer, time: string): Promise<void> {
  await world.turn(payer, time)
  await world.deliver()
  await doDue({ ...world.deps, workflows: world.workflows })
  await world.sync(payer)
}

/** Usage as it happens: what is still to come by the customer's clock is waited for. */
async function use(payer: Payer, quantity: string, time: string): Promise<void> {
  const { frozen_time: now } = await world.stripe.testHelpers.testClocks.retrieve(payer.testClock)
  if (at(time) > now) await go(payer, time)
  await world.use(payer, quantity, time)
}

const total = async (payer: Payer, status: 'current' | 'closing' | 'paid') =>
  (await world.read(payer, status)).subtotal.minor

/** What Stripe would bill of it at the renewal: the pending items without the fee. */
async function pendingAtStripe(payer: Payer): Promise<number> {
  const { lines } = await world.stripe.invoices.createPreview({ subscription: payer.subscription })
  return lines.data.filter(({ parent }) => parent?.type === 'invoice_item_details').reduce(sumOf, 0)
}
const sumOf = (sum: number, { amount }: { amount: number }) => sum + amount

/** The end of each month of usage from 31 January on, and what is used in it. */
const months: readonly [end: string, used: number, late: number, cents: number][] = [
  // 50 × 0.10 + 10 × 0.10
  ['2027-02-28', 50, 10, 600],
  // 100 × 0.10 + 30 × 0.01: the tiers begin anew each month
  ['2027-03-31', 90, 40, 1030],
  ['2027-04-30', 1, 1, 20],
  ['2027-05-31', 100, 1, 1001],
  ['2027-06-30', 99, 1, 1000],
  ['2027-07-31', 1000, 100, 2000],
  ['2027-08-31', 5, 5, 100],
  ['2027-09-30', 5, 5, 100],
  ['2027-10-31', 5, 5, 100],
  ['2027-11-30', 5, 5, 100],
  ['2027-12-31', 5, 5, 100],
  // The last month of the year: with the fee of the next one.
  ['2028-01-31', 60, 60, 1020],
  ['2028-02-29', 7, 3, 100],
  ['2028-03-31', 8, 2, 100],
]

test('fourteen months: each of its own usage, the year’s fee with the twelfth', async () => {
  const ada = await world.register('annual', '2027-01-31T09:30:00Z')
  await world.deliver()
  let start = '2027-01-31'
  for (const [end, used, late, cents] of months) {
    const isRenewal = end === '2028-01-31'
    const due = cents + (isRenewal ? 12_000 : 0)
    await go(ada, `${start}T12:00:00Z`)
    await world.use(ada, `${used}`, `${start}T10:00:00Z`)
    await world.sync(ada)
    expect(await total(ada, 'current')).toBe(BigInt(costOf(used) + (isRenewal ? 12_000 : 0)))
    expect(await pendingAtStripe(ada)).toBe(costOf(used))

    await go(ada, `${end}T09:30:00Z`)
    await world.use(ada, `${late}`, `${end}T09:29:59Z`)
    expect(await total(ada, 'closing')).toBe(BigInt(due))
    await world.sync(ada)
    await go(ada, `${end}T10:30:01Z`)
    const frozen = await world.read(ada, 'paid')
    const [last] = (await world.atStripe(ada)).toReversed()
    expect([frozen.total.minor, last?.invoice.total]).toEqual([BigInt(due), due])
    expect(last?.invoice.billing_reason).toBe(
      isRenewal ? 'subscription_cycle' : 'automatic_pending_invoice_item_invoice',
    )
    expect(last?.lines).toEqual(amounts(frozen).sort())
    start = end
  }
  const story = (await world.story(ada)).slice(1)
  expect(story).toHaveLength(months.length + 1)
  expect(story.slice(-3)).toEqual([
    '2028-01-31 … 2028-02-29 subscription_cycle paid 100',
    '2028-02-29 … 2028-03-31 subscription_cycle paid 100',
    '2028-03-31 … 2028-04-30 subscription_cycle current -',
  ])
  // One at the start, one for each month.
  expect(await world.atStripe(ada)).toHaveLength(months.length + 1)
})

/** In cents, for the first tier alone or both. */
const costOf = (used: number) => (used <= 100 ? used * 10 : 1000 + (used - 100))

test('a month in which nothing was used makes no invoice, and what is heard of it later is on the next one', async () => {
  const bob = await world.register('annual', '2026-05-10T00:15:00Z')
  await world.deliver()
  await go(bob, '2026-06-10T00:15:00Z')
  expect((await world.story(bob)).slice(1)).toEqual([
    '2026-05-10 … 2026-06-10 subscription_cycle closing -',
    '2026-06-10 … 2026-07-10 subscription_cycle current -',
  ])
  // A day later nobody waits for an invoice any more.
  await go(bob, '2026-06-11T00:15:00Z')
  expect((await world.story(bob)).slice(1)).toEqual([
    '2026-05-10 … 2026-06-10 subscription_cycle paid 0',
    '2026-06-10 … 2026-07-10 subscription_cycle current -',
  ])
  await world.use(bob, '120', '2026-05-20T00:00:00Z')
  await world.use(bob, '20', '2026-06-10T12:00:00Z')
  const lines = [
    '1020 Seconds: 120 second, reported late for 2026-05-10 to 2026-06-10',
    '200 Seconds: 20 second',
  ]
  expect(amounts(await world.read(bob, 'current')).sort()).toEqual(lines)
  await world.sync(bob)
  await go(bob, '2026-07-10T00:15:00Z')
  await go(bob, '2026-07-10T01:30:00Z')
  const billed = (await world.atStripe(bob)).map(({ invoice, lines }) => [invoice.total, lines])
  expect(billed.slice(1)).toEqual([[1220, lines]])
})

test('what is included, the least and the most are of each month', async () => {
  const cid = await world.register('promised', '2026-03-31T00:00:00Z')
  await world.deliver()
  const used = [
    // 20 beyond the 100 that are included: 2.00 and 3.00 up to the least.
    ['2026-04-30', '120', 500],
    ['2026-05-31', '100', 500],
    // 80 × 0.10
    ['2026-06-30', '180', 800],
    // 200 × 0.10 is 20.00, cut down to the most.
    ['2026-07-31', '300', 900],
  ] as const
  let start = '2026-03-31'
  for (const [end, quantity, cents] of used) {
    await use(cid, quantity, `${start}T05:00:00Z`)
    await world.sync(cid)
    expect(await total(cid, 'current')).toBe(BigInt(cents))
    await go(cid, `${end}T00:00:00Z`)
    await go(cid, `${end}T01:30:00Z`)
    expect((await world.atStripe(cid)).at(-1)?.invoice.total).toBe(cents)
    start = end
  }
})

test('in yen, by the quarter, and with a coupon', async () => {
  const yen = await world.register('yen', '2026-08-31T12:00:00Z')
  const dot = await world.register('quarters', '2026-11-30T00:00:00Z')
  const eve = await world.register('annual', '2026-01-31T00:00:00Z', { coupons: ['fifth'] })
  await world.deliver()
  await use(yen, '10', '2026-09-15T00:00:00Z')
  await use(dot, '150', '2027-01-15T00:00:00Z')
  await use(eve, '51', '2026-02-15T00:00:00Z')
  for (const payer of [yen, dot, eve]) await world.sync(payer)
  // 2.5 yen is 3, a half away from zero.
  expect(amounts(await world.read(yen, 'current'))).toEqual(['3 Seconds: 10 second'])
  expect(await world.story(dot)).toContain('2026-11-30 … 2027-02-28 subscription_cycle current -')
  const ends = [
    [yen, '2026-09-30T12:00:00Z', '2026-09-30T14:00:00Z', 3],
    [dot, '2027-02-28T00:00:00Z', '2027-02-28T02:00:00Z', 1050],
    // 5.10 less a fifth of it.
    [eve, '2026-02-28T00:00:00Z', '2026-02-28T02:00:00Z', 408],
  ] as const
  for (const [payer, end, after, amount] of ends) {
    await go(payer, end)
    await go(payer, after)
    expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(amount)
    expect((await world.read(payer, 'paid')).total.minor).toBe(BigInt(amount))
  }
})

test('a trial is one stretch, and the months count from where it ends', async () => {
  const gil = await world.register('trying', '2026-01-17T00:00:00Z')
  await world.deliver()
  await use(gil, '500', '2026-01-20T00:00:00Z')
  await world.sync(gil)
  await go(gil, '2026-01-31T00:00:00Z')
  await go(gil, '2026-01-31T02:00:00Z')
  await use(gil, '10', '2026-02-01T00:00:00Z')
  await world.sync(gil)
  await go(gil, '2026-02-28T00:00:00Z')
  await go(gil, '2026-02-28T02:00:00Z')
  expect(await world.story(gil)).toEqual([
    '2026-01-17 … 2026-01-17 subscription_create paid 0',
    '2026-01-17 … 2026-01-31 subscription_cycle paid 12000',
    '2026-01-31 … 2026-02-28 subscription_cycle paid 100',
    '2026-02-28 … 2026-03-31 subscription_cycle current -',
  ])
})

test('after an outage over three months each has its invoice, and everything is billed once', async () => {
  const ian = await world.register('annual', '2026-01-31T00:00:00Z')
  await world.deliver()
  await use(ian, '30', '2026-02-10T00:00:00Z')
  await world.sync(ian)
  // Nobody listens: Stripe bills what it was told of, and nothing after it.
  for (const end of ['2026-02-28', '2026-03-31', '2026-04-30']) await world.turn(ian, `${end}T02:00:00Z`)
  await go(ian, '2026-05-15T00:00:00Z')
  await use(ian, '5', '2026-02-27T00:00:00Z')
  await use(ian, '40', '2026-03-15T00:00:00Z')
  await use(ian, '20', '2026-04-15T00:00:00Z')
  await world.sync(ian)
  expect((await world.story(ian)).slice(1).map((line) => line.replace('subscription_cycle ', ''))).toEqual([
    '2026-01-31 … 2026-02-28 paid 300',
    '2026-02-28 … 2026-03-31 paid 0',
    '2026-03-31 … 2026-04-30 paid 0',
    '2026-04-30 … 2026-05-31 current -',
  ])
  await go(ian, '2026-05-31T00:00:00Z')
  await go(ian, '2026-05-31T02:00:00Z')
  const billed = (await world.atStripe(ian)).map(({ invoice: { total } }) => total)
  // The fee, 30 seconds, and what was used since: 5, 40 and 20 seconds, each in its own month's tier.
  expect(billed).toEqual([12_000, 300, 650])
  expect(amounts(await world.read(ian, 'current'))).toEqual([])
})

test('an interval that somebody takes off at Stripe is set again with the next sync, by one call', async () => {
  const joy = await world.register('annual', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.sync(joy)
  const standing = () => world.stripe.subscriptions.retrieve(joy.subscription)
  expect((await standing()).pending_invoice_item_interval).toEqual({ interval: 'month', interval_count: 1 })
  await world.stripe.subscriptions.update(joy.subscription, { pending_invoice_item_interval: '' })
  await world.deliver()
  await use(joy, '1', '2026-01-11T00:00:00Z')
  const calls = await world.requests(() => world.sync(joy))
  expect(calls.filter((call) => call.startsWith('POST /v1/subscriptions'))).toHaveLength(1)
  expect((await standing()).pending_invoice_item_interval).toEqual({ interval: 'month', interval_count: 1 })
  await world.deliver()
  await use(joy, '1', '2026-01-12T00:00:00Z')
  const again = await world.requests(() => world.sync(joy))
  expect(again.filter((call) => call.startsWith('POST /v1/subscriptions'))).toEqual([])
})

async function change({ subscriptionId }: Payer, plan: string, when: 'now' | 'periodEnd'): Promise<string> {
  const asked = { operation: newId('operation'), requestedBy: 'api_key_test', requestOrigin: null }
  const begun = await beginChange(
    world.deps,
    subscriptionId,
    { plan, when },
    { ...asked, accepted: {}, mayGivePlans: false },
  )
  const { workflowId, written } = begun
  if (!written) throw new Error('It was begun before.')
  world.workflows.beginAs(written)
  return (await world.workflows.settled(workflowId, 600)).state
}

test('from monthly to annual in the middle of a month and back again: the interval comes and goes', async () => {
  const kim = await world.register('monthly', '2026-01-10T00:00:00Z')
  await world.deliver()
  const interval = async () =>
    (await world.stripe.subscriptions.retrieve(kim.subscription)).pending_invoice_item_interval
  await go(kim, '2026-01-20T12:00:00Z')
  await use(kim, '150', '2026-01-15T00:00:00Z')
  expect(await change(kim, 'annual', 'now')).toBe('completed')
  await world.deliver()
  await world.sync(kim)
  expect(await interval()).toEqual({ interval: 'month', interval_count: 1 })
  await use(kim, '150', '2026-01-25T00:00:00Z')
  expect(amounts(await world.read(kim, 'current'))).toEqual(['1050 Seconds: 150 second'])
  await world.sync(kim)
  await go(kim, '2026-02-20T12:00:00Z')
  await go(kim, '2026-02-20T14:00:00Z')
  await go(kim, '2026-03-01T12:00:00Z')
  await use(kim, '7', '2026-02-25T00:00:00Z')
  expect(await change(kim, 'monthly', 'now')).toBe('completed')
  await world.deliver()
  await world.sync(kim)
  expect(await interval()).toBeNull()
  const billed = (await world.atStripe(kim)).map(({ lines }) =>
    lines.map((line) => Number.parseInt(line, 10)),
  )
  expect(billed.map((lines) => lines.toSorted((a, b) => a - b))).toEqual([
    [1200],
    // 20.5 of 31 days of 12.00 are left: 7.9355.
    [-794, 1050, 12_000],
    [1050],
    // 40 of 365 days are used of 120.00: 106.8493 are left.
    [-10_685, 70, 1200],
  ])
  expect((await world.story(kim)).at(-1)).toBe('2026-03-01 … 2026-04-01 subscription_cycle current -')
})

test('planned for the end of the period: the months begin with the year', async () => {
  const lou = await world.register('monthly', '2026-01-31T00:00:00Z')
  await world.deliver()
  expect(await change(lou, 'annual', 'periodEnd')).toBe('completed')
  await world.deliver()
  await use(lou, '10', '2026-02-05T00:00:00Z')
  await world.sync(lou)
  await go(lou, '2026-02-28T00:00:00Z')
  await go(lou, '2026-02-28T02:00:00Z')
  await world.deliver()
  await world.sync(lou)
  expect((await world.stripe.subscriptions.retrieve(lou.subscription)).pending_invoice_item_interval).toEqual(
    {
      interval: 'month',
      interval_count: 1,
    },
  )
  await use(lou, '3', '2026-03-05T00:00:00Z')
  await world.sync(lou)
  await go(lou, '2026-03-28T00:00:00Z')
  await go(lou, '2026-03-28T02:00:00Z')
  expect((await world.story(lou)).slice(1).map((line) => line.replace('subscription_cycle ', ''))).toEqual([
    '2026-01-31 … 2026-02-28 paid 12100',
    '2026-02-28 … 2026-03-28 paid 30',
    '2026-03-28 … 2026-04-28 current -',
  ])
})

test('canceled in the middle of a month, and planned for the middle of one: what was used is billed', async () => {
  const mia = await world.register('annual', '2026-01-31T00:00:00Z')
  const ned = await world.register('annual', '2026-01-31T00:00:00Z')
  await world.deliver()
  for (const payer of [mia, ned]) {
    await go(payer, '2026-02-28T00:00:00Z')
    await go(payer, '2026-03-10T00:00:00Z')
    await use(payer, '30', '2026-03-05T00:00:00Z')
    await world.sync(payer)
  }
  await world.stripe.subscriptions.cancel(mia.subscription)
  await world.stripe.subscriptions.update(ned.subscription, { cancel_at: at('2026-05-15T00:00:00Z') })
  await world.deliver()
  await world.sync(mia)
  await go(mia, '2026-03-10T02:00:00Z')
  await go(ned, '2026-03-31T00:00:00Z')
  await go(ned, '2026-04-30T00:00:00Z')
  await go(ned, '2026-05-01T02:00:00Z')
  await use(ned, '5', '2026-05-14T00:00:00Z')
  await go(ned, '2026-05-15T00:00:00Z')
  await go(ned, '2026-05-15T02:00:00Z')
  const totals = async (payer: Payer) =>
    (await world.story(payer)).slice(1).map((line) => line.replace('subscription_cycle ', ''))
  expect(await totals(mia)).toEqual(['2026-01-31 … 2026-02-28 paid 0', '2026-02-28 … 2026-03-10 paid 300'])
  expect(await totals(ned)).toEqual([
    '2026-01-31 … 2026-02-28 paid 0',
    '2026-02-28 … 2026-03-31 paid 300',
    '2026-03-31 … 2026-04-30 paid 0',
    // With what Stripe gives back of the year: 261 of 365 days of 120.00 are 85.8082.
    '2026-04-30 … 2026-05-15 paid -8531',
  ])
})

test('a collection that is paused keeps a draft for each month', async () => {
  const ole = await world.register('annual', '2026-01-31T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(ole.subscription, {
    pause_collection: { behavior: 'keep_as_draft' },
  })
  await world.deliver()
  await use(ole, '10', '2026-02-10T00:00:00Z')
  await world.sync(ole)
  await go(ole, '2026-02-28T00:00:00Z')
  await use(ole, '20', '2026-03-10T00:00:00Z')
  await world.sync(ole)
  await go(ole, '2026-03-31T00:00:00Z')
  await go(ole, '2026-04-02T00:00:00Z')
  expect((await world.story(ole)).slice(1).map((line) => line.replace('subscription_cycle ', ''))).toEqual([
    '2026-01-31 … 2026-02-28 closing -',
    '2026-02-28 … 2026-03-31 closing -',
    '2026-03-31 … 2026-04-30 current -',
  ])
  expect((await world.atStripe(ole)).slice(1).map(({ invoice }) => [invoice.status, invoice.total])).toEqual([
    ['draft', 100],
    ['draft', 200],
  ])
})

test('while a billing is paused no month turns; when it goes on, the time between is in months too', async () => {
  const pia = await world.register('annual', '2026-01-31T00:00:00Z')
  await go(pia, '2026-02-28T00:00:00Z')
  await use(pia, '10', '2026-03-05T00:00:00Z')
  await world.stripe.subscriptions.pause(pia.subscription, {
    bill_for: { unused_time_from: { type: 'none' } },
  })
  await world.deliver()
  await go(pia, '2026-04-20T00:00:00Z')
  const periods = async () =>
    (await world.story(pia)).slice(1).map((line) => line.replace('subscription_cycle ', ''))
  expect((await periods()).slice(1)).toEqual(['2026-02-28 … 2026-03-05 current -'])
  await world.stripe.subscriptions.resume(pia.subscription)
  // It goes on when its invoice is paid: docs.stripe.com/billing/subscriptions/pause.
  const [open] = (await world.stripe.invoices.list({ subscription: pia.subscription, status: 'open' })).data
  await world.stripe.invoices.pay(open?.id ?? '')
  await world.deliver()
  await world.sync(pia)
  await go(pia, '2026-05-20T00:00:00Z')
  await go(pia, '2026-05-21T00:00:00Z')
  // What was used before the pause came with the first month after it.
  expect((await periods()).slice(2)).toEqual([
    '2026-03-05 … 2026-03-20 paid 0',
    '2026-03-20 … 2026-04-20 paid 0',
    '2026-04-20 … 2026-04-20 subscription_update paid 12000',
    '2026-04-20 … 2026-05-20 paid 100',
    '2026-05-20 … 2026-06-20 current -',
  ])
})

test('what a feature grants of a meter is granted anew each month', async () => {
  const quy = await world.register('granting', '2026-01-31T00:00:00Z')
  await world.deliver()
  const granted = async () => {
    const [found] = await readGrants(world.db, { customer: quy.customerId, now: world.wall.time })
    return found?.grantedBy.map(({ used, period }) => [used, period.start])
  }
  await use(quy, '60', '2026-02-10T00:00:00Z')
  expect(await granted()).toEqual([[60_000_000_000n, at('2026-01-31T00:00:00Z')]])
  await go(quy, '2026-02-28T00:00:00Z')
  await use(quy, '25', '2026-03-10T00:00:00Z')
  expect(await granted()).toEqual([[25_000_000_000n, at('2026-02-28T00:00:00Z')]])
})
