import { expect, test } from 'vitest'
import { documentPdf } from '../src/document/pdf.ts'
import { invoiceRoutes } from '../src/http/routes/invoices.ts'
import { annexOf } from '../src/invoice/annex.ts'
import { readInvoice } from '../src/invoice/read.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { textOfPdf } from './support/pdf-text.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
invoiceRoutes(server.app, world.deps)

const without = (text: string) => text.replaceAll(/\s/g, '')

/** The invoice's annex, as somebody reads it. */
async function annex(payer: Payer, id: string): Promise<string> {
  const shown = await readInvoice(world.db, id)
  if (!shown) throw new Error(`There is no invoice ${id}.`)
  return textOfPdf(await documentPdf(await annexOf(world.db, shown, payer)))
}

test('a final invoice explains each of its amounts on paper, and always the same', async () => {
  const payer = await world.register('tiered', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(payer, '100.5', '2026-01-12T00:00:00Z')
  await world.use(payer, '149.5', '2026-01-13T00:00:00Z')
  const open = (await world.read(payer, 'current')).invoice
  const url = `/v1/invoices/${open.id}/annex.pdf`
  expect(await server.call({ method: 'GET', url })).toMatchObject({
    status: 409,
    body: { code: 'invoice_not_final' },
  })
  await world.sync(payer)
  await world.turn(payer, '2026-02-10T02:00:00Z')
  await world.deliver()

  const answer = await server.call({ method: 'GET', url })
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/pdf' } })
  expect(answer.text.slice(0, 5)).toBe('%PDF-')
  const text = await annex(payer, open.id)
  const { number } = (await world.read(payer, 'paid')).invoice
  // 100 at 0.10 and 150 at 0.01; a tenth of that and of the fee of 20.00.
  for (const line of [
    `Annex to invoice ${number}`,
    `Customer ${payer.externalId}`,
    'Period 2026-01-10 00:00:00 UTC … 2026-02-10 00:00:00 UTC',
    'Seconds: 250 second Amount 11.50 USD',
    'Quantity 250 second',
    'tier 1 (0 … 100): 100 × 0.1 = 10',
    'tier 2 (over 100): 150 × 0.01 = 1.5',
    'Support, 10 % Amount 3.15 USD',
    'of: recurring fee 20 + compute 11.5 = 31.5',
    'share: 10 % × 31.5 = 3.15',
    'Total 34.65 USD',
  ])
    expect(text).toContain(without(line))
  // What the provider computed is said to be the provider's.
  expect(text).toContain(without('the payment provider computed this amount'))

  // Usage that comes late stands on the next one.
  await world.use(payer, '1000', '2026-01-20T00:00:00Z')
  expect(await annex(payer, open.id)).toBe(text)
})

test('of an invoice that the provider made by itself it says so', async () => {
  const payer = await world.register('yen', '2026-01-10T00:00:00Z')
  await world.deliver()
  const { invoice } = await world.read(payer, 'paid')
  const text = await annex(payer, invoice.id)
  expect(text).toContain(without('Amount 2,000 JPY'))
  expect(text).toContain(without('the payment provider computed this amount'))
  expect(text).toContain(without('Total 2,000 JPY'))
})

test('many lines, and a line of hundreds of steps, lose nothing between two pages', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const shown = await readInvoice(world.db, (await world.read(payer, 'paid')).invoice.id)
  const [line] = shown?.lines ?? []
  if (!shown || !line) throw new Error('The fee of the first month is a line.')
  const tiers = Array.from({ length: 300 }, (_, i) => ({
    ...{ kind: 'tier', tier: i + 1, from: `${i}`, to: `${i + 1}`, quantity: '1', rate: '0.5', flat: '0' },
    amount: `${i}.5`,
  }))
  const derivation = {
    ...{ price: { key: 'x', name: 'X', model: 'graduated' }, currency: 'usd', free: null, measured: null },
    ...{ period: { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }, steps: tiers },
    ...{ exact: '20', rounded: '20.00', amount: '20.00' },
  } as unknown as NonNullable<typeof line.derivation>
  const lines = Array.from({ length: 60 }, (_, i) => ({
    ...line,
    id: `${i}`,
    description: `Line number ${i}.`,
  }))
  const many = { ...shown, lines: [...lines, { ...line, derivation }] }
  const text = textOfPdf(await documentPdf(await annexOf(world.db, many, payer)))
  for (let i = 0; i < 60; i += 1) expect(text).toContain(`Linenumber${i}.`)
  for (let i = 0; i < 300; i += 1) expect(text).toContain(`tier${i + 1}(${i}…${i + 1}):1×0.5=${i}.5`)
})

test('lines that are taller than a page go on with the next', async () => {
  const lines = Array.from({ length: 25 }, (_, i) => `${'word '.repeat(140)}${letters(i)} over`)
  const pdf = await documentPdf({
    ...{ title: 'Long', subtitle: 'Lines', footer: [] },
    sections: [{ title: 'All', rows: [['How', lines]] }],
  })
  // 25 lines of 700 characters are 250 on paper, and a page has 55.
  const pages = Buffer.from(pdf)
    .toString('latin1')
    .match(/\/Type \/Page\b/g)
  expect(pages?.length).toBeGreaterThan(4)
  const text = textOfPdf(pdf).replaceAll(/\d+\/\d+/g, '')
  for (const line of lines) expect(text).toContain(without(line))
})

const letters = (i: number) => String.fromCharCode(97 + i).repeat(3)

test('corrections are read once for all lines of a meter and period', async () => {
  const payer = await world.register('tiered', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.use(payer, '1', '2026-01-10T00:00:00Z')
  const shown = await readInvoice(world.db, (await world.read(payer, 'current')).invoice.id)
  const line = shown?.lines.find(({ derivation }) => derivation?.measured)
  if (!shown || !line) throw new Error('What is used is a line.')
  let reads = 0
  const db = world.db.withPlugin({
    transformQuery: ({ node }) => {
      reads += 1
      return node
    },
    transformResult: async ({ result }) => result,
  })
  await annexOf(db, { ...shown, lines: Array.from({ length: 40 }, () => line) }, payer)
  expect(reads).toBe(1)
})
