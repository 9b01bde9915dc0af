import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { adjustInvoice } from '../src/invoice/adjust.ts'
import { explanationOf } from '../src/invoice/explain.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// No fee, a cent a second, and invoices that are collected from 5.00 on.

const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
      plans: {
        metered: {
          ...{ name: 'Metered', product: 'cloud', interval: 'month' },
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '0', collectFrom: '5.00' },
            compute: { meter: 'seconds', model: 'perUnit', unitAmount: '0.01' },
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
async function subscribed(): Promise<Payer> {
  const payer = await world.register('metered', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  return payer
}

async function pending({ customer }: Payer): Promise<string[]> {
  const { data } = await world.stripe.invoiceItems.list({ customer, pending: true, limit: 100 })
  return data.map(({ amount, description }) => `${amount} ${description}`).sort()
}

const preview = async ({ subscription }: Payer) =>
  (await world.stripe.invoices.createPreview({ subscription })).total

const totals = async (payer: Payer) => (await world.atStripe(payer)).map(({ invoice }) => invoice.total)

test('too little waits, and says so; it is collected with what makes it enough', async () => {
  const payer = await subscribed()
  await world.use(payer, '300', '2026-01-11T00:00:00Z')
  const shown = await world.read(payer, 'current')
  expect(amounts(shown)).toEqual([
    '300 Seconds: 300 second',
    '-300 Carried to the next invoice: less than 5.00 USD',
    '0 Metered',
  ])
  expect(shown.lines[1] && explanationOf(shown.lines[1], []).slice(1, 3)).toEqual([
    'waiting: compute 3.00',
    'collected from 5.00 on: -3.00 until then',
  ])
  await world.sync(payer)
  expect([await pending(payer), await preview(payer), shown.total.minor]).toEqual([[], 0, 0n])

  await go(payer, '2026-02-10T02:00:00Z')
  await world.use(payer, '199', '2026-02-10T01:00:00Z')
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '199 Seconds: 199 second',
    '300 Seconds: 300 second, carried over from 2026-01-10 to 2026-02-10',
    '-499 Carried to the next invoice: less than 5.00 USD',
    '0 Metered',
  ])
  await world.use(payer, '1', '2026-02-10T01:00:01Z')
  await world.sync(payer)
  expect([await preview(payer), (await world.read(payer, 'current')).total.minor]).toEqual([500, 500n])
  await go(payer, '2026-03-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)).toMatchObject({
    invoice: { status: 'paid', total: 500 },
    lines: expect.arrayContaining([
      '200 Seconds: 200 second',
      '300 Seconds: 300 second, carried over from 2026-01-10 to 2026-02-10',
    ]),
  })
  // Collected once: nothing of it is left.
  expect(amounts(await world.read(payer, 'current'))).toEqual(['0 Metered'])
  expect((await world.invoices(payer)).every(({ lateUsage }) => !lateUsage)).toBe(true)
  expect((await totals(payer)).reduce((sum, total) => sum + total, 0)).toBe(500)
})

test('what was enough and is not any more is taken back before it is charged', async () => {
  const payer = await subscribed()
  await world.use(payer, '600', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  expect(await pending(payer)).toEqual(['600 Seconds: 600 second'])
  const { invoice } = await world.read(payer, 'current')
  await adjustInvoice(
    world.db,
    invoice.id,
    {
      ...{ id: 'adjustment_of_this_test', kind: 'credit', much: { minor: 200n, currency: 'usd' } },
      ...{ description: 'Goodwill', agent: null, supersedes: null },
    },
    { by: 'test', at: invoice.openedAt, reason: 'Ticket 4711' },
  )
  await world.sync(payer)
  expect(await pending(payer)).toEqual([])
  await go(payer, '2026-02-10T02:00:00Z')
  expect((await totals(payer)).at(-1)).toBe(0)
  expect((await world.read(payer, 'current')).lines.map(({ amount }) => amount.minor)).toEqual([
    ...[600n, -200n, -400n, 0n],
  ])
})

test('usage within the draft hour makes it enough: it goes onto the invoice of its period', async () => {
  const payer = await subscribed()
  await world.use(payer, '300', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-10T00:00:00Z')
  await world.use(payer, '250', '2026-02-09T23:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)).toMatchObject({
    invoice: { total: 550 },
    lines: expect.arrayContaining(['550 Seconds: 550 second']),
  })
})

test('the end of the subscription collects what waited, of every period', async () => {
  const payer = await subscribed()
  await world.use(payer, '300', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-10T02:00:00Z')
  await go(payer, '2026-02-20T00:00:00Z')
  await world.use(payer, '100', '2026-02-11T00:00:00Z')
  await world.sync(payer)
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await world.deliver()
  await go(payer, '2026-02-20T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)).toMatchObject({
    invoice: { status: 'paid', total: 400 },
    lines: ['100 Seconds: 100 second', '300 Seconds: 300 second, carried over from 2026-01-10 to 2026-02-10'],
  })
})
