import { expect, test } from 'vitest'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
invoiceRoutes(server.app, world.deps)

interface Forecast {
  readonly at: string
  readonly subtotal: { readonly minor: string }
  readonly lines: readonly { readonly description: string; readonly amount: { readonly minor: string } }[]
}

/** What the invoice is foreseen to say, a line each, its sum last. */
async function foreseen(payer: Payer, status: 'current' | 'paid' = 'current'): Promise<string[] | null> {
  const forecast = await forecastOf(payer, status)
  if (forecast === null) return null
  const { at, lines, subtotal } = forecast
  return [at, ...lines.map(({ description, amount }) => `${amount.minor} ${description}`), subtotal.minor]
}

async function forecastOf(payer: Payer, status: 'current' | 'paid'): Promise<Forecast | null> {
  const { id } = (await world.read(payer, status)).invoice
  const { body } = await server.call({ method: 'GET', url: `/v1/invoices/${id}` })
  return (body as { forecast: Forecast | null }).forecast
}

const go = async (payer: Payer, time: string) => {
  await world.turn(payer, time)
  await world.deliver()
}

test('usage goes on as it has, and tiers, shares and fees follow it; the provider hears nothing of it', async () => {
  // The period has 31 days, of which ten are over.
  const payer = await world.register('tiered', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '100', '2026-01-12T00:00:00Z')
  expect(await foreseen(payer)).toEqual([
    '2026-01-20T00:00:00Z',
    // 100 at 0.10 and 210 at 0.01.
    '1210 Seconds: 310 second',
    // A tenth of 20.00 and 12.10.
    '321 Support, 10 %',
    // With the next fee of 20.00.
    '3531',
  ])
  await world.sync(payer)
  const pending = await world.stripe.invoiceItems.list({ customer: payer.customer, pending: true })
  expect(pending.data.map(({ amount }) => amount).toSorted((a, b) => a - b)).toEqual([300, 1000])
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '1000 Seconds: 100 second',
    '300 Support, 10 %',
    '2000 Tiered',
  ])
  // The same usage is less a day the later it is: 31 of 20 days are 155.
  await go(payer, '2026-01-30T00:00:00Z')
  expect(await foreseen(payer)).toEqual([
    '2026-01-30T00:00:00Z',
    '1055 Seconds: 155 second',
    '306 Support, 10 %',
    '3361',
  ])
  await go(payer, '2026-02-10T02:00:00Z')
  expect(await foreseen(payer, 'paid')).toBeNull()
  // Two hours of the next one are over, and nothing was used.
  expect(await foreseen(payer)).toEqual(['2026-02-10T02:00:00Z', '200 Support, 10 %', '2200'])
})

test('a last value stays what it is, and in the first hour nothing is foreseen', async () => {
  const payer = await world.register('leveled', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.use(payer, '500', '2026-01-10T00:00:00Z', 'level')
  expect(await foreseen(payer)).toBeNull()
  await go(payer, '2026-01-10T01:00:00Z')
  expect(await foreseen(payer)).toEqual(['2026-01-10T01:00:00Z', '500 Level: 500 unit', '2500'])
})

test('a yen is foreseen in whole yen', async () => {
  const payer = await world.register('yen', '2026-01-10T00:00:00Z')
  await go(payer, '2026-01-11T00:00:00Z')
  await world.use(payer, '0.5', '2026-01-10T12:00:00Z')
  // 31 times 0.5 are 15.5 seconds, of 0.1 yen: 1.55.
  expect(await foreseen(payer)).toEqual(['2026-01-11T00:00:00Z', '2 Seconds: 15.5 second', '2002'])
})

test('a subscription that is to end inside the period is foreseen to its end, and no next fee', async () => {
  const payer = await world.register('tiered', '2026-01-10T00:00:00Z')
  const end = Date.parse('2026-01-25T00:00:00Z') / 1000
  await world.stripe.subscriptions.update(payer.subscription, { cancel_at: end, proration_behavior: 'none' })
  await go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '100', '2026-01-12T00:00:00Z')
  // Fifteen days at ten a day: 100 at 0.10 and 50 at 0.01, and a tenth of 20.00 and 10.50.
  expect(await foreseen(payer)).toEqual([
    '2026-01-20T00:00:00Z',
    '1050 Seconds: 150 second',
    '305 Support, 10 %',
    '1355',
  ])
  expect(await forecastOf(payer, 'current')).toMatchObject({ until: '2026-01-25T00:00:00Z' })
  await go(payer, '2026-01-24T00:00:00Z')
  await world.use(payer, '50', '2026-01-22T00:00:00Z')
  await go(payer, '2026-01-25T00:00:00Z')
  await world.sync(payer)
  const rest = await world.stripe.invoices.list({ customer: payer.customer, limit: 1 })
  expect(rest.data.map(({ subtotal }) => subtotal)).toEqual([1355])
})
