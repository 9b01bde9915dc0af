import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// Amounts that go wrong elsewhere; each is held against what Stripe finalized, by arithmetic done here.

const monthly = { product: 'cloud', interval: 'month' } as const
const fee = { kind: 'recurring', model: 'flat', amount: '20.00' } as const
const compute = { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' } as const

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, compute: { name: 'Compute' }, traffic: { name: 'Traffic' } },
  meters: {
    seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' },
    bytes: { name: 'Bytes', unitLabel: 'byte', aggregation: 'sum' },
  },
  plans: {
    plain: { name: 'Plain', ...monthly, prices: { fee, compute } },
    trying: { name: 'Trying', ...monthly, trialDays: 14, trialUsage: 'billed', prices: { fee, compute } },
    halves: {
      name: 'Halves',
      ...monthly,
      prices: {
        fee,
        compute: {
          ...{ meter: 'seconds', product: 'compute', model: 'graduated' },
          tiers: [
            { upTo: '1', unitAmount: '0.005' },
            { upTo: null, unitAmount: '0.005' },
          ],
        },
      },
    },
    // 90 dollars a terabyte.
    bytes: {
      name: 'Bytes',
      ...monthly,
      prices: {
        fee,
        traffic: { meter: 'bytes', product: 'traffic', model: 'perUnit', unitAmount: '0.00000000009' },
      },
    },
  },
})

const world = await shared(newBillingWorld({ catalog }))

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

async function subscribed(plan: string): Promise<Payer> {
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
  const ours = (await world.read(payer, 'paid')).total.minor
  return { preview, stripe: last?.invoice.total, ours, lines: last?.lines ?? [] }
}

test('two tiers of half a cent each are one cent: one rounding a line, not one a tier', async () => {
  const payer = await subscribed('halves')
  await world.use(payer, '2', '2026-01-11T00:00:00Z')
  expect(await renewed(payer)).toMatchObject({
    ...{ preview: 2001, stripe: 2001, ours: 2001n },
    lines: expect.arrayContaining(['1 Seconds: 2 second']),
  })
})

test('three petabytes of bytes are counted to the byte', async () => {
  const payer = await subscribed('bytes')
  for (let day = 11; day < 15; day += 1) {
    await world.use(payer, '750000000000000', `2026-01-${day}T00:00:00Z`, 'bytes')
  }
  await world.use(payer, '1', '2026-01-15T00:00:00Z', 'bytes')
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '27000000 Bytes: 3,000,000,000,000,001 byte',
    '2000 Bytes',
  ])
  expect(await renewed(payer)).toMatchObject({
    ...{ preview: 27_002_000, stripe: 27_002_000, ours: 27_002_000n },
  })
})

test('a coupon of one product takes its part off the lines of that product only', async () => {
  const payer = await subscribed('plain')
  const { data: products } = await world.stripe.products.list({ limit: 100 })
  const product = products.find(({ name }) => name === 'Compute')?.id ?? ''
  const coupon = await world.stripe.coupons.create({
    ...{ percent_off: 50, duration: 'forever', applies_to: { products: [product] } },
  })
  await world.stripe.subscriptions.update(payer.subscription, { discounts: [{ coupon: coupon.id }] })
  await world.deliver()
  await world.use(payer, '1000', '2026-01-11T00:00:00Z')
  // 10.00 of usage, half of it off, and the fee of 20.00 as it is.
  expect(await renewed(payer)).toMatchObject({ preview: 2500, stripe: 2500, ours: 2500n })
})

test('usage of a trial is billed where the plan says so', async () => {
  const payer = await world.register('trying', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '150', '2026-01-11T00:00:00Z')
  expect(amounts(await world.read(payer, 'current'))).toEqual(['150 Seconds: 150 second', '2000 Trying'])
  await world.sync(payer)
  await go(payer, '2026-01-24T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)).toMatchObject({
    invoice: { total: 2150, amount_paid: 2150 },
    lines: expect.arrayContaining(['150 Seconds: 150 second']),
  })
})
