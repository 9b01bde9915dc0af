import { defineCatalog } from '@lockstep/core/catalog'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { amounts, type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'

let world: BillingWorld
beforeAll(async () => {
  world = await newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: { cpu: { name: 'CPU', unitLabel: 'second', aggregation: 'sum', dimensions: ['region'] } },
      plans: {
        cloud: {
          name: 'Cloud',
          product: 'cloud',
          interval: 'month',
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
            cpu: { meter: 'cpu', model: 'perUnit', unitAmount: '0.01', groupBy: ['region'] },
          },
        },
      },
    }),
  })
})
afterAll(() => world.close())

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

/** A cent in each of 90 regions. */
async function use(payer: Payer, time: string): Promise<void> {
  const regions = Array.from({ length: 90 }, (_, n) => `r${n}`)
  await Promise.all(regions.map((region) => world.use(payer, '1', time, 'cpu', { region })))
}

const lateLines = async (payer: Payer, month: string) =>
  amounts(await world.read(payer, 'current')).filter((line) => line.includes(`late for ${month}`)).length

// Stripe takes 250 items on an invoice: docs.stripe.com/api/invoiceitems/create. 240 of them are ours: 30 of the month
// that runs, so 210 of what is late: 90, 90 and 30; the other 60 come a month later.
test('three late months find room on two invoices, the oldest first, and each says what Stripe says', async () => {
  const gus = await world.register('cloud', '2026-01-10T00:00:00Z')
  for (const month of ['02', '03', '04']) await go(gus, `2026-${month}-10T02:00:00Z`)
  for (const month of ['01', '02', '03']) await use(gus, `2026-${month}-15T00:00:00Z`)
  for (let n = 0; n < 30; n += 1)
    await world.use(gus, '1', '2026-04-10T01:00:00Z', 'cpu', { region: `r${n}` })
  expect(await lateLines(gus, '2026-01-10')).toBe(90)
  expect(await lateLines(gus, '2026-02-10')).toBe(90)
  expect(await lateLines(gus, '2026-03-10')).toBe(30)
  expect((await world.sync(gus))?.calls).toBe(240)
  expect(await world.sync(gus)).toBeUndefined()
  const preview = await world.stripe.invoices.createPreview({ subscription: gus.subscription })
  expect(preview.total).toBe(2240)
  expect((await world.read(gus, 'current')).total.minor).toBe(2240n)

  await go(gus, '2026-05-10T00:00:00Z')
  await go(gus, '2026-05-10T01:00:01Z')
  expect((await world.atStripe(gus)).at(-1)?.invoice.total).toBe(2240)
  expect(await lateLines(gus, '2026-03-10')).toBe(60)
  expect((await world.sync(gus))?.calls).toBe(60)
  await go(gus, '2026-06-10T00:00:00Z')
  await go(gus, '2026-06-10T01:00:01Z')
  expect((await world.atStripe(gus)).at(-1)?.invoice.total).toBe(2060)
  expect((await world.invoices(gus)).every(({ lateUsage }) => !lateUsage)).toBe(true)
})
