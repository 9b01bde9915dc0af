// docs.stripe.com/products-prices/pricing-models and docs.stripe.com/currencies
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { documentPdf } from '../../src/document/pdf.ts'
import { annexOf } from '../../src/invoice/annex.ts'
import { checkLimits } from '../../src/invoice/check-limits.ts'
import { readInvoice } from '../../src/invoice/read.ts'
import { makeEvents } from '../../src/outbox/make-events.ts'
import { findDrift } from '../../src/workflow/drift/find.ts'
import { amounts, type Payer } from '../support/billing-world.ts'
import { textOfPdf } from '../support/pdf-text.ts'
import { shared } from '../support/shared.ts'
import { type Code, currencies, newMoneyWorld, price } from './money-world.ts'

const world = await shared(newMoneyWorld())
// Somebody is told of what is spent: without an endpoint nothing is noted.
await sql`insert into webhook_endpoint (id, url, secrets, created_at)
  values ('webhook_endpoint_1', 'https://app.example', '[]', now())`.execute(world.db)

/** What our current invoice, Stripe's preview and the invoice that it finalized come to. */
async function renewed(payer: Payer, time: string) {
  await world.sync(payer)
  const ours = (await world.read(payer, 'current')).total.minor
  const preview = await world.stripe.invoices.createPreview({ subscription: payer.subscription })
  await world.go(payer, time)
  const { total, due, paid } = await world.lastAtStripe(payer)
  const final = (await world.read(payer, 'paid')).total.minor
  return { ours: Number(ours), previewed: preview.total, total, due, paid, final: Number(final) }
}

/** The same number everywhere; Stripe's own where it writes the currency otherwise. */
const everywhere = (ours: number, stripes = ours) => ({
  ...{ ours, final: ours },
  ...{ previewed: stripes, total: stripes, due: stripes, paid: stripes },
})

const JANUARY = '2026-01-12T00:00:00Z'

// 123 calls at 3.7 are 455.1; 10 GB at 5.5 and 7 at 2.25 are 70.75; 250 messages are 3 packages of 33. Of dinars
// 123 × 0.037 = 4.551 and 0.55 + 0.1575 = 0.7075, to the fils and then to the nearest ten of them.
test.each<[Code, { lines: number[]; fee: number; credit: number; text: string[] }]>([
  [
    'usd',
    {
      ...{ lines: [455, 71, 99], fee: 1001, credit: -123 },
      text: ['per unit: 123 × 0.037 = 4.551', '4.551 → 4.55 usd', 'Amount 0.71 USD', 'Total 15.03 USD'],
    },
  ],
  [
    'jpy',
    {
      ...{ lines: [455, 71, 99], fee: 1001, credit: -123 },
      text: ['per unit: 123 × 3.7 = 455.1', '455.1 → 455 jpy', 'Amount 71 JPY', 'Total 1,503 JPY'],
    },
  ],
  [
    'kwd',
    {
      ...{ lines: [4550, 710, 990], fee: 10_010, credit: -1230 },
      text: [
        'per unit: 123 × 0.037 = 4.551',
        'charged in steps of 0.010: 4.551 → 4.550 kwd',
        'charged in steps of 0.010: 0.708 → 0.710 kwd',
        'Total 15.030 KWD',
      ],
    },
  ],
  [
    'isk',
    {
      ...{ lines: [455, 71, 99], fee: 1001, credit: -123 },
      text: ['per unit: 123 × 3.7 = 455.1', '455.1 → 455 isk', 'Amount 71 ISK', 'Total 1,503 ISK'],
    },
  ],
])('%s: usage by unit, tier and package, and a credit, as billed and as printed', async (code, wanted) => {
  const payer = await world.register(`${code}-metered`, '2026-01-10T00:00:00Z')
  await world.go(payer, '2026-01-20T00:00:00Z')
  for (const [meter, quantity] of Object.entries({ calls: '123', store: '17', sms: '250' }))
    await world.use(payer, quantity, JANUARY, meter)
  const shown = await world.read(payer, 'current')
  const usage = shown.lines.filter(({ period }) => period.start === shown.invoice.periodStart)
  expect(usage.map(({ amount }) => Number(amount.minor))).toEqual(wanted.lines)
  const { invoice } = shown
  const credit = { kind: 'credit', amount: price(code, 123), description: 'Goodwill', reason: 'Ticket' }
  const made = await world.ask('POST', `/v1/invoices/${invoice.id}/adjustments?dryRun=false`, credit)
  expect(made).toMatchObject({ status: 201, body: { amount: { minor: `${wanted.credit}` } } })

  const total = wanted.lines.reduce((sum, amount) => sum + amount, wanted.fee + wanted.credit)
  expect(total).toBe(code === 'kwd' ? 15_030 : 1503)
  const stripes = code === 'isk' ? 150_300 : total
  expect(await renewed(payer, '2026-02-10T02:00:00Z')).toEqual(everywhere(total, stripes))
  const frozen = await readInvoice(world.db, invoice.id)
  if (!frozen) throw new Error('The invoice is gone.')
  const text = textOfPdf(await documentPdf(await annexOf(world.db, frozen, payer)))
  for (const line of wanted.text) expect(text).toContain(line.replaceAll(' ', ''))
  expect((await findDrift(world.deps)).drifts).toEqual([])
})

// 50 calls are 185, so 215 are missing of 400; 300 are 1110, of which 900 are billed.
test.each(currencies)('%s: a minimum is filled up, a maximum cuts', async (code) => {
  const fils = code === 'kwd' ? 10 : 1
  const written = code === 'isk' ? 100 : fils
  const payer = await world.register(`${code}-bounded`, '2026-01-10T00:00:00Z')
  await world.go(payer, '2026-01-20T00:00:00Z')
  await world.use(payer, '50', JANUARY, 'calls')
  const lines = amounts(await world.read(payer, 'current')).map((line) => Number.parseInt(line, 10))
  expect(lines).toEqual([185, 215, 1001].map((amount) => amount * fils))
  expect(await renewed(payer, '2026-02-10T02:00:00Z')).toEqual(everywhere(1401 * fils, 1401 * written))
  await world.use(payer, '300', '2026-02-10T01:00:00Z', 'calls')
  expect(await renewed(payer, '2026-03-10T02:00:00Z')).toEqual(everywhere(1901 * fils, 1901 * written))
})

test.each<[Code, string[]]>([
  ['usd', ['2.50 usd: 3.70', '5.00 usd: 7.40']],
  ['jpy', ['250 jpy: 370', '500 jpy: 740']],
  ['kwd', ['2.500 kwd: 3.700', '5.000 kwd: 7.400']],
  ['isk', ['250 isk: 370', '500 isk: 740']],
])('%s: who spends is told of half of a cap and of the cap', async (code, wanted) => {
  const payer = await world.register(`${code}-metered`, '2026-01-10T00:00:00Z')
  await world.go(payer, '2026-01-20T00:00:00Z')
  const cap = price(code, 500)
  const set = await world.ask('POST', `/v1/customers/${payer.customerId}/spend-limits`, {
    ...{ cap, alertPercents: [50, 100] },
  })
  expect(set).toMatchObject({ status: 201, body: { currency: code, cap } })
  for (const time of ['2026-01-20T00:00:00Z', '2026-01-20T00:00:01Z']) {
    await world.use(payer, '100', time, 'calls')
    await checkLimits(world.deps)
    await makeEvents(world.deps)
  }
  const events = await world.db
    .selectFrom('outgoingEvent')
    .select('data')
    .where('customerId', '=', payer.customerId)
    .where('type', '=', 'spend_limit.alert_reached')
    .orderBy('sequence')
    .execute()
  const told = events.map(({ data }) => data as Record<string, unknown>)
  expect(told.map(({ at, currency, spent }) => `${at} ${currency}: ${spent}`)).toEqual(wanted)
})
