import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

type Metered = 'cpu' | 'disk' | 'net'

const perRegion = () => ({
  name: 'Used',
  unitLabel: 'second',
  aggregation: 'sum' as const,
  dimensions: ['region'],
})

const plan = <const M extends Metered>(meter: M) => ({
  name: `Cloud ${meter}`,
  product: 'cloud' as const,
  interval: 'month' as const,
  prices: {
    fee: { kind: 'recurring', model: 'flat', amount: '20.00' } as const,
    used: { meter, model: 'perUnit' as const, unitAmount: '0.01', groupBy: ['region'] },
  },
})

const world = await shared(
  newBillingWorld({
    catalog: defineCatalog({
      currency: 'usd',
      products: { cloud: { name: 'Cloud' } },
      meters: { cpu: perRegion(), disk: perRegion(), net: perRegion() },
      plans: { cloud: plan('cpu'), disk: plan('disk'), net: plan('net') },
    }),
  }),
)

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

/** A cent in each of 90 regions. */
async function use(payer: Payer, time: string, meter: Metered = 'cpu'): Promise<void> {
  const regions = Array.from({ length: 90 }, (_, n) => `r${n}`)
  await Promise.all(regions.map((region) => world.use(payer, '1', time, meter, { region })))
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

// Stripe takes 250 pending items of a customer too, whatever they are of. Of 240 the second has 90 and the third 60 once
// 90 of the first wait; of its last 30 lines Stripe hears when its period is over, on its draft.
test('three subscriptions of one customer share the room, and nothing of any is lost', async () => {
  const ada = await world.register('cloud', '2026-01-10T00:00:00Z')
  await world.deliver()
  const disk = await world.registerAlso(ada, 'disk', 'disk')
  const net = await world.registerAlso(ada, 'net', 'net')
  const all = [ada, disk, net]
  await world.deliver()
  await go(ada, '2026-01-20T00:00:00Z')
  for (const meter of ['cpu', 'disk', 'net'] as const) await use(ada, '2026-01-15T00:00:00Z', meter)
  const pending = async () =>
    (
      await world.stripe.invoiceItems
        .list({ customer: ada.customer, pending: true, limit: 100 })
        .autoPagingToArray({ limit: 500 })
    ).length
  const calls: (number | undefined)[] = []
  for (const payer of all) calls.push((await world.sync(payer))?.calls)
  expect(calls).toEqual([90, 90, 60])
  expect(await pending()).toBe(240)
  // All of it is shown: it comes with the invoice.
  for (const payer of all) expect((await world.read(payer, 'current')).total.minor).toBe(2090n)

  await go(ada, '2026-02-10T00:00:00Z')
  await go(ada, '2026-02-10T01:00:01Z')
  // 20.00 and 90 cents each, after three first invoices of 20.00.
  const totals = (await world.atStripe(ada)).map(({ invoice }) => invoice.total)
  expect(totals).toEqual([2000, 2000, 2000, 2090, 2090, 2090])

  // What is late of the third waits for what is pending of the others, and comes a month later.
  for (const meter of ['cpu', 'disk'] as const) await use(ada, '2026-02-10T00:30:00Z', meter)
  for (const payer of [ada, disk]) await world.sync(payer)
  await use(ada, '2026-01-16T00:00:00Z', 'net')
  expect((await world.read(net, 'current')).total.minor).toBe(2060n)
  await world.sync(net)
  expect(await pending()).toBe(240)
  for (const month of ['03', '04']) {
    await go(ada, `2026-${month}-10T00:00:00Z`)
    await go(ada, `2026-${month}-10T01:00:01Z`)
    for (const payer of all) await world.sync(payer)
  }
  const later = (await world.atStripe(ada)).slice(6).map(({ invoice }) => invoice.total)
  expect(later.toSorted((a, b) => a - b)).toEqual([2000, 2000, 2030, 2060, 2090, 2090])
})

// After an end there is no next invoice to wait for: 30 lines of the last period and 210 late ones go onto the first of its own, and
// the other 60 onto another one when that is final.
test('what is left at an end goes onto as many invoices of its own as it takes', async () => {
  const eve = await world.register('cloud', '2026-01-10T00:00:00Z')
  for (const month of ['02', '03', '04']) await go(eve, `2026-${month}-10T02:00:00Z`)
  for (const month of ['01', '02', '03']) await use(eve, `2026-${month}-15T00:00:00Z`)
  for (let n = 0; n < 30; n += 1)
    await world.use(eve, '1', '2026-04-10T01:00:00Z', 'cpu', { region: `r${n}` })
  const before = (await world.atStripe(eve)).length
  await world.stripe.subscriptions.cancel(eve.subscription)
  await world.deliver()
  for (const time of ['2026-04-10T04:00:00Z', '2026-04-10T06:00:00Z']) {
    await world.sync(eve)
    await go(eve, time)
  }
  const rest = (await world.atStripe(eve)).slice(before)
  expect(rest.map(({ invoice, lines }) => [invoice.status, lines.length, invoice.total])).toEqual([
    ['paid', 240, 240],
    ['paid', 60, 60],
  ])
  expect((await world.invoices(eve)).every(({ lateUsage }) => !lateUsage)).toBe(true)
})
