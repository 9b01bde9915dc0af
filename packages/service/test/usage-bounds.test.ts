import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { explanationOf } from '../src/invoice/explain.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { previewWish } from '../src/workflow/plan-change/preview.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// What is included, and the least and the most that usage costs, held against what Stripe finalized.
// 100 seconds are free and then a cent each; a dollar a unit of the level; 5.00 to 12.00 of both in a month.

const monthly = { product: 'cloud', interval: 'month' } as const
const fee = { kind: 'recurring', model: 'flat', amount: '20.00' } as const
const compute = {
  ...({ meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' } as const),
  included: '100',
}
const traffic = { meter: 'traffic', model: 'perUnit', unitAmount: '1.00' } as const
const least = { name: 'Minimum usage', model: 'minimum', amount: '5.00' } as const
const most = { name: 'Usage cap', model: 'maximum', amount: '12.00' } as const
const prices = { fee, compute, traffic, least, most }
const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute' } },
      meters: {
        seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
        traffic: { name: 'Traffic', unitLabel: 'GB', aggregation: 'sum' },
      },
      plans: {
        bounded: { name: 'Bounded', ...monthly, prices },
        wider: {
          name: 'Wider',
          ...monthly,
          prices: { fee, compute, least: { ...least, amount: '8.00' } },
        },
        trying: { name: 'Trying', ...monthly, trialDays: 14, trialUsage: 'billed', prices },
        dinar: {
          ...{ name: 'Dinar', ...monthly, currency: 'kwd' },
          prices: {
            fee: { ...fee, amount: '2.000' },
            compute: { ...compute, unitAmount: '0.005' },
            least: { ...least, amount: '1.000' },
          },
        },
      },
    }),
  }),
)

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

/** A month that runs since 10 January. */
async function subscribed(plan = 'bounded'): Promise<Payer> {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  return payer
}

/** What Stripe says that the renewal will come to, what it came to there, and here. */
async function renewed(payer: Payer) {
  await world.sync(payer)
  const { total: preview } = await world.stripe.invoices.createPreview({ subscription: payer.subscription })
  await go(payer, '2026-02-10T02:00:00Z')
  const last = (await world.atStripe(payer)).at(-1)
  return { preview, stripe: last?.invoice.total, ours: Number((await world.read(payer, 'paid')).total.minor) }
}

const each = (total: number) => ({ preview: total, stripe: total, ours: total })

test('nothing used: the least is billed, and what is included is not used up by a month without', async () => {
  const payer = await subscribed()
  await world.use(payer, '70', '2026-01-11T00:00:00Z')
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '0 Seconds: 70 second',
    '500 Minimum usage: 0.00 used of 5.00 USD',
    '2000 Bounded',
  ])
  expect(await renewed(payer)).toEqual(each(2500))
})

test('too little used: the rest is a line that explains itself, and more usage takes its place', async () => {
  const payer = await subscribed()
  await world.use(payer, '223', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  // 123 beyond the 100 are 1.23; 3.77 are missing.
  const shown = await world.read(payer, 'current')
  expect(amounts(shown)).toEqual([
    '123 Seconds: 223 second',
    '377 Minimum usage: 1.23 used of 5.00 USD',
    '2000 Bounded',
  ])
  const [compute, least] = shown.lines
  expect(compute && explanationOf(compute, []).slice(2)).toEqual([
    'included: the first 100; of 223 there are 123 to pay for',
    'per unit: 123 × 0.01 = 1.23',
    'rounded once, half away from zero: 1.23 → 1.23 usd',
  ])
  expect(least && explanationOf(least, []).slice(1, 4)).toEqual([
    'at least: 5.00',
    'used: compute 1.23 + traffic 0.00 = 1.23',
    'missing: 3.77',
  ])
  await world.use(payer, '6', '2026-01-12T00:00:00Z', 'traffic')
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    ...['123 Seconds: 223 second', '600 Traffic: 6 GB', '2000 Bounded'],
  ])
  expect(await renewed(payer)).toEqual(each(2723))
})

test('too much used: the last line is cut, and a coupon takes its part off what is charged', async () => {
  const payer = await subscribed()
  const coupon = await world.stripe.coupons.create({ percent_off: 50, duration: 'forever' })
  await world.stripe.subscriptions.update(payer.subscription, { discounts: [{ coupon: coupon.id }] })
  await world.deliver()
  await world.use(payer, '300', '2026-01-11T00:00:00Z')
  await world.use(payer, '30', '2026-01-11T00:00:00Z', 'traffic')
  const shown = await world.read(payer, 'current')
  expect(amounts(shown)).toEqual(['200 Seconds: 300 second', '1000 Traffic: 30 GB', '2000 Bounded'])
  expect(shown.lines[1] && explanationOf(shown.lines[1], []).at(-1)).toBe(
    'Usage cap, at most 12.00 − 2.00 of the lines before = 10.00 usd',
  )
  expect(await renewed(payer)).toEqual(each(1600))
})

test('a coupon halves the least as well: bounds are of what is charged before it', async () => {
  const payer = await subscribed()
  const coupon = await world.stripe.coupons.create({ percent_off: 50, duration: 'forever' })
  await world.stripe.subscriptions.update(payer.subscription, { discounts: [{ coupon: coupon.id }] })
  await world.deliver()
  expect(await renewed(payer)).toEqual(each(1250))
})

test('canceled in the middle, the part of the least is billed that belongs to the time', async () => {
  const payer = await world.register('bounded', '2026-01-10T00:00:00Z')
  await world.deliver()
  // 15.5 of 31 days: 2.50, of which 1.20 were used.
  await go(payer, '2026-01-25T12:00:00Z')
  await world.use(payer, '220', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await world.deliver()
  await go(payer, '2026-01-25T14:00:00Z')
  expect((await world.atStripe(payer)).at(-1)).toMatchObject({
    invoice: { status: 'paid', total: 250 },
    lines: ['120 Seconds: 220 second', '130 Minimum usage: 1.20 used of 2.50 USD'],
  })
})

test('where the cycle begins anew, the part before it owes its part, and the new period all of it', async () => {
  const payer = await world.register('bounded', '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(payer, '2026-01-25T12:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, { billing_cycle_anchor: { type: 'now' } })
  await world.deliver()
  await world.sync(payer)
  await go(payer, '2026-02-25T12:00:00Z')
  await go(payer, '2026-02-25T14:00:00Z')
  const lines = (await world.atStripe(payer)).flatMap((one) => one.lines)
  const least = lines
    .filter((line) => line.includes('Minimum usage'))
    .map((line) => Number(line.split(' ')[0]))
  expect(least.reduce((total, amount) => total + amount, 0)).toBe(250 + 500)
})

test('usage that is heard of late takes the place of what was missing: the month costs the same', async () => {
  const payer = await subscribed()
  await world.use(payer, '200', '2026-01-11T00:00:00Z')
  expect(await renewed(payer)).toEqual(each(2500))
  await world.use(payer, '50', '2026-01-12T00:00:00Z')
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '500 Minimum usage: 0.00 used of 5.00 USD',
    '0 Seconds: 50 second, reported late for 2026-01-10 to 2026-02-10, less 0.50 billed as Minimum usage',
    '2000 Bounded',
  ])
  await world.sync(payer)
  await go(payer, '2026-03-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(2500)
})

test('swallowed in mid-cycle, what was missing then is given back as it is used', async () => {
  const payer = await subscribed()
  await world.sync(payer)
  const manual = await world.stripe.invoices.create({
    customer: payer.customer,
    subscription: payer.subscription,
    pending_invoice_items_behavior: 'include',
  })
  await world.stripe.invoices.finalizeInvoice(manual.id)
  await world.deliver()
  await world.use(payer, '8', '2026-01-19T00:00:00Z', 'traffic')
  await world.sync(payer)
  await go(payer, '2026-02-10T02:00:00Z')
  // 5.00 for nothing yet, then 8.00 less these 5.00 beside the fee.
  const totals = (await world.atStripe(payer)).map(({ invoice }) => invoice.total)
  expect(totals).toEqual([2000, 500, 2300])
})

test('a trial that bills its usage has promised none', async () => {
  const payer = await world.register('trying', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '250', '2026-01-11T00:00:00Z')
  expect(amounts(await world.read(payer, 'current'))).toEqual(['150 Seconds: 250 second', '2000 Trying'])
})

const leastBilled = async (payer: Payer) =>
  (await world.atStripe(payer)).flatMap(({ lines }) => lines.filter((line) => line.includes('Minimum usage')))

/** It goes on when the invoice of its new period is paid. */
async function resume(payer: Payer) {
  const { latest_invoice: latest } = await world.stripe.subscriptions.resume(payer.subscription)
  const invoice = await world.stripe.invoices.retrieve(latest as string)
  if (invoice.status === 'open') await world.stripe.invoices.pay(latest as string)
  await world.deliver()
}

test('a trial that ended without a card is a pause: nothing is promised until it goes on', async () => {
  const payer = await world.register('trying', '2026-01-10T00:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, {
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  })
  const { data } = await world.stripe.paymentMethods.list({ customer: payer.customer })
  for (const { id } of data) await world.stripe.paymentMethods.detach(id)
  await go(payer, '2026-01-24T02:00:00Z')
  const row = world.db.selectFrom('subscription').select('status').where('id', '=', payer.subscriptionId)
  expect(await row.executeTakeFirst()).toEqual({ status: 'paused' })
  await go(payer, '2026-02-03T00:00:00Z')
  const { id } = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: payer.customer })
  await world.stripe.customers.update(payer.customer, { invoice_settings: { default_payment_method: id } })
  await resume(payer)
  await world.sync(payer)
  await go(payer, '2026-03-03T02:00:00Z')
  // Only the month that began with the resumption.
  expect(await leastBilled(payer)).toEqual(['500 Minimum usage: 0.00 used of 5.00 USD'])
})

test('paused in the middle of a period, the part before the pause is promised', async () => {
  const payer = await world.register('bounded', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-25T12:00:00Z')
  await world.stripe.subscriptions.pause(payer.subscription, {
    bill_for: { unused_time_from: { type: 'none' } },
  })
  await world.deliver()
  await go(payer, '2026-02-15T00:00:00Z')
  await resume(payer)
  await world.sync(payer)
  await go(payer, '2026-03-15T02:00:00Z')
  // 15.5 of 31 days, and the month that began with the resumption.
  expect(await leastBilled(payer)).toEqual([
    '250 Minimum usage: 0.00 used of 2.50 USD, reported late for 2026-01-10 to 2026-01-25',
    '500 Minimum usage: 0.00 used of 5.00 USD',
  ])
})

test('another trial later changes nothing of the one before, nor of what was paid between', async () => {
  const payer = await world.register('trying', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-12T00:00:00Z')
  await world.use(payer, '250', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-01-24T02:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-24T02:00:00Z')
  await go(payer, '2026-03-01T00:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, { trial_end: Date.UTC(2026, 2, 15) / 1000 })
  await world.deliver()
  await world.use(payer, '1', '2026-01-12T00:00:00Z')
  await world.use(payer, '30', '2026-01-25T00:00:00Z')
  await world.sync(payer)
  // The 251st second of the billed trial, without a minimum; 30 of the 100 that February includes, and its minimum stays.
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '1 Seconds: 1 second, reported late for 2026-01-10 to 2026-01-24',
    '0 Seconds: 30 second, reported late for 2026-01-24 to 2026-02-24',
    '2000 Trying',
  ])
})

test('a later anchor does not change which period it was that was cut', async () => {
  const payer = await world.register('bounded', '2026-01-31T00:00:00Z')
  await go(payer, '2026-02-28T02:00:00Z')
  await go(payer, '2026-03-15T00:00:00Z')
  await world.stripe.subscriptions.update(payer.subscription, { billing_cycle_anchor: { type: 'now' } })
  await world.deliver()
  await world.sync(payer)
  await go(payer, '2026-04-15T02:00:00Z')
  // February's, and 15 of the 31 days from 28 February to 31 March: 2.419….
  expect(await leastBilled(payer)).toEqual([
    '241 Minimum usage: 0.00 used of 2.41 USD',
    '500 Minimum usage: 0.00 used of 5.00 USD',
    '500 Minimum usage: 0.00 used of 5.00 USD, reported late for 2026-01-31 to 2026-02-28',
  ])
})

// A late line has the coupon of the invoice that it comes with, whatever its own period had: a month's coupon is over by then.
test('a coupon that was good for one invoice takes nothing off what comes late for its period', async () => {
  const payer = await subscribed()
  const coupon = await world.stripe.coupons.create({ percent_off: 50, duration: 'once' })
  await world.stripe.subscriptions.update(payer.subscription, { discounts: [{ coupon: coupon.id }] })
  await world.deliver()
  await world.use(payer, '6', '2026-01-12T00:00:00Z', 'traffic')
  expect(await renewed(payer)).toEqual(each(1300))
  await world.use(payer, '2', '2026-01-12T00:00:00Z', 'traffic')
  await world.use(payer, '7', '2026-02-10T01:00:00Z', 'traffic')
  await world.sync(payer)
  await go(payer, '2026-03-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(2000 + 700 + 200)
})

test('half of what can be charged of a dinar is settled once, and nothing is left of it', async () => {
  const payer = await subscribed('dinar')
  // 47 beyond the 100 at 5 fils are 0.235, charged 0.240; 0.760 are missing to a dinar.
  await world.use(payer, '147', '2026-01-11T00:00:00Z')
  expect(await renewed(payer)).toMatchObject({ stripe: 3000, ours: 3000 })
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '1000 Minimum usage: 0.000 used of 1.000 KWD',
    '2000 Dinar',
  ])
})

test('a change that ends the period bills the part that was promised until then, and gives nothing back later', async () => {
  const payer = await subscribed()
  // The whole month's 5.00 waits at Stripe, where the invoice of the change takes whatever is pending.
  await world.sync(payer)
  await go(payer, '2026-01-25T12:00:00Z')
  const secrets = ['a secret for previews of at least 32']
  const wish = { plan: 'wider', when: 'now' } as const
  const preview = await previewWish({ ...world.deps, secrets }, payer.subscriptionId, wish, {
    mayGivePlans: false,
  })
  expect(preview.dueNow?.total).toEqual({ minor: 1250n, currency: 'usd' })
  const asked = { operation: newId('operation'), requestedBy: 'api_key_test', requestOrigin: null }
  const { workflowId, written } = await beginChange(world.deps, payer.subscriptionId, wish, {
    ...asked,
    accepted: {},
    mayGivePlans: false,
  })
  if (!written) throw new Error('It was begun before.')
  world.workflows.beginAs(written)
  expect((await world.workflows.settled(workflowId, 60)).state).toBe('completed')
  await world.deliver()
  await world.sync(payer)
  await go(payer, '2026-02-25T14:00:00Z')
  const billed = (await world.atStripe(payer)).map(({ lines }) =>
    lines.map((line) => Number.parseInt(line, 10)).sort((a, b) => a - b),
  )
  // 15.5 of 31 days: half of 20.00 back, half of 5.00; a whole month of the other plan; and its 8.00 at the end.
  expect(billed).toEqual([[2000], [-1000, 250, 2000], [800, 2000]])
})
