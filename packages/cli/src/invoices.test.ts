import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const usd = (minor: string) => ({ amount: (Number(minor) / 100).toFixed(2), minor, currency: 'usd' })
const goodwill = {
  ...{ id: 'adjustment_1', invoice: 'invoice_1', kind: 'credit', amount: usd('-500'), agent: 'Bob' },
  ...{ description: 'Goodwill', reason: 'Ticket 4711', madeBy: 'api_key_1', supersedes: null },
  ...{ madeAt: '2026-01-20T00:00:00Z', withdrawn: null },
}

test('an adjustment is shown before it is made, and its record afterwards', async () => {
  const effect = { invoice: 'invoice_1', before: usd('300'), after: usd('-200'), toBalance: usd('200') }
  const path = '/v1/invoices/invoice_1/adjustments'
  fake.answers = {
    [`POST ${path}`]: { body: effect },
    [`POST ${path}?dryRun=false`]: { status: 201, body: goodwill },
    [`POST ${path}/adjustment_1/withdraw?dryRun=false`]: {
      body: { ...goodwill, withdrawn: { by: 'api_key_1', at: '2026-01-21T00:00:00Z', reason: 'A mistake' } },
    },
    [`GET ${path}`]: page(goodwill),
  }
  const adjust = (...more: string[]) => {
    const told = ['--description', 'Goodwill', '--reason', 'Ticket 4711']
    return fake.run(['invoices', 'adjust', 'invoice_1', '5.00', ...told, ...more])
  }
  const dry = await adjust('--dry-run')
  expect(dry.stdout).toBe("Would make 3.00 usd → -2.00 usd, 2.00 usd of it on the customer's balance\n")
  const nobody = await adjust()
  expect([nobody.code, nobody.stderr.includes('Nobody is here to confirm it')]).toEqual([2, true])
  expect(fake.asked.some(({ request }) => request.endsWith('dryRun=false'))).toBe(false)
  const done = await adjust('--agent', 'Bob', '--yes')
  expect(done.stdout).toContain('✓ credit -5.00 usd added: Goodwill  adjustment_1')
  expect(fake.asked.at(-1)?.body).toEqual({
    ...{ kind: 'credit', amount: '5.00', description: 'Goodwill', reason: 'Ticket 4711', agent: 'Bob' },
  })

  const list = await fake.run(['invoices', 'adjustments', 'invoice_1'])
  expect(list.stdout).toMatch(/2026-01-20 +credit +-5\.00 +Goodwill +Ticket 4711 +Bob +adjustment_1/)
  const withdrawn = await fake.run([
    'invoices',
    'withdraw',
    'invoice_1',
    'adjustment_1',
    '--reason',
    'A mistake',
  ])
  expect(withdrawn.stdout).toContain('✓ credit -5.00 usd taken back: Goodwill')
})

/** Nothing between the lines and the total. */
const plain = {
  ...{ discounts: [], balance: null, amountDue: null, unknown: [], amountPaid: null, amountRemaining: null },
  tax: { amount: null, included: null, certainty: 'certain', explanation: [] },
}

test('what Stripe’s own meters count says who bills it, and as of when', async () => {
  const period = { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }
  const none = { number: null, syncProblem: null, finalizesAt: null, syncedAt: null, forecast: null }
  const line = {
    ...{ id: 'si_1.1', key: null, description: '30 × Calls', period, quantity: '30', unitLabel: null },
    ...{ amount: usd('60'), late: false, derivation: null, providerId: 'si_1' },
    ...{ reason: 'Counted there.', asOf: '2026-01-20T08:00:00Z' },
  }
  fake.answers = {
    'GET /v1/invoices/invoice_1': {
      body: {
        ...{ ...plain, ...none, id: 'invoice_1', status: 'current', currency: 'usd', period, stale: false },
        ...{ subtotal: usd('60'), total: usd('60'), lines: [line] },
      },
    },
  }
  const { stdout } = await fake.run(['invoices', 'show', 'invoice_1', '--explain'])
  expect(stdout).toMatch(/30 × Calls {2}counted and billed by the provider, as of 2026-01-20 08:00.* 0\.60/)
  expect(stdout).toContain('Counted there. (si_1)')
})

test('discounts, tax and what is due stand below each other, with the reason for each', async () => {
  const period = { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }
  const none = { number: null, syncProblem: null, finalizesAt: null, syncedAt: null, forecast: null }
  const invoice = {
    ...{ id: 'invoice_1', status: 'current', currency: 'usd', period, lines: [], stale: true, ...none },
    ...{ subtotal: usd('2000'), total: usd('2142'), amountDue: usd('1642'), unknown: ['discounts'] },
    ...{ amountPaid: null, amountRemaining: null },
    discounts: [
      { name: 'Tenth', coupon: 'tenth', amount: usd('200'), explanation: '10 % off 20.00 usd: 2.00 usd' },
    ],
    tax: { amount: usd('342'), included: usd('0'), certainty: 'estimated', explanation: ['As before.'] },
    balance: { before: usd('-500'), after: usd('0'), explanation: 'The balance pays.' },
  }
  fake.answers = { 'GET /v1/invoices/invoice_1': { body: invoice } }
  const shown = await fake.run(['invoices', 'show', 'invoice_1', '--explain'])
  const lines = shown.stdout.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
  expect(lines.slice(2)).toEqual([
    ...['subtotal 20.00 usd', 'Tenth -2.00 usd', '10 % off 20.00 usd: 2.00 usd'],
    ...['tax, estimated 3.42 usd', 'As before.', 'total 21.42 usd', 'due 16.42 usd', 'The balance pays.'],
    ...['without discounts: not known here yet', ''],
  ])
})

test('a running invoice says about what it will come to', async () => {
  const period = { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }
  const none = { number: null, syncProblem: null, finalizesAt: null, syncedAt: null }
  const invoice = {
    ...{ id: 'invoice_1', status: 'current', currency: 'usd', period, lines: [], stale: true, ...none },
    ...{ ...plain, subtotal: usd('2000'), total: usd('2000') },
    forecast: {
      ...{ at: '2026-01-20T00:00:00Z', until: '2026-01-25T00:00:00Z', lines: [] },
      ...{ subtotal: usd('400000'), total: usd('353100') },
    },
  }
  fake.answers = { 'GET /v1/invoices/invoice_1': { body: invoice } }
  const shown = async () => (await fake.run(['invoices', 'show', 'invoice_1'])).stdout
  expect(await shown()).toContain('  about 3,531.00 usd if usage goes on as it has, by 2026-01-25\n')
  fake.answers = { 'GET /v1/invoices/invoice_1': { body: { ...invoice, forecast: null } } }
  expect(await shown()).not.toContain('about')
})

test.each([
  ['usd', '1503', '1503.00', '1,503.00 usd'],
  ['jpy', '1503', '1503', '1,503 jpy'],
  ['kwd', '1503000', '1503.000', '1,503.000 kwd'],
  ['isk', '1503', '1503', '1,503 isk'],
])('a total of %s has the decimals of its currency', async (currency, minor, amount, text) => {
  const total = { amount, minor, currency }
  const none = { number: null, syncProblem: null, finalizesAt: null, syncedAt: null, forecast: null }
  const period = { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }
  const invoice = {
    ...plain,
    id: 'invoice_1',
    status: 'paid',
    currency,
    period,
    lines: [],
    stale: false,
    total,
  }
  fake.answers = { 'GET /v1/invoices/invoice_1': { body: { ...invoice, ...none, subtotal: total } } }
  expect((await fake.run(['invoices', 'show', 'invoice_1'])).stdout).toContain(text)
})

test('an annex is written to a file, byte for byte', async () => {
  fake.answers = {
    'GET /v1/invoices/invoice_1/annex.pdf': { body: new Uint8Array([0x25, 0x50, 0x44, 0x46, 0xff]) },
  }
  const { stdout } = await fake.run(['invoices', 'annex', 'invoice_1', 'annex.pdf'])
  expect(stdout).toBe('✓ annex.pdf\n')
  expect([...readFileSync(join(fake.folder, 'annex.pdf'))]).toEqual([0x25, 0x50, 0x44, 0x46, 0xff])
})

test('a final invoice says where it is to be seen, and what is left to pay', async () => {
  const invoice = {
    ...{
      ...plain,
      id: 'invoice_1',
      status: 'open',
      currency: 'usd',
      lines: [],
      stale: false,
      number: 'A-0003',
    },
    ...{ syncProblem: null, finalizesAt: null, syncedAt: null, forecast: null },
    period: { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' },
    ...{ subtotal: usd('2220'), total: usd('2220'), amountDue: usd('2220') },
    ...{ amountPaid: usd('1000'), amountRemaining: usd('1220') },
    ...{ hostedInvoiceUrl: 'https://pay.example/1', invoicePdf: 'https://pay.example/1.pdf' },
  }
  fake.answers = { 'GET /v1/invoices/invoice_1': { body: invoice } }
  const { stdout } = await fake.run(['invoices', 'show', 'invoice_1'])
  const lines = stdout.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
  expect(lines).toEqual([
    'open invoice of 2026-01-10 … 2026-02-10 A-0003 invoice_1',
    ...['total 22.20 usd', 'still to pay 12.20 usd'],
    ...['page https://pay.example/1', 'PDF https://pay.example/1.pdf', ''],
  ])
})

test('what was given back of an invoice is listed, whoever did it', async () => {
  const common = {
    customer: 'customer_1',
    invoice: 'invoice_1',
    providerId: 'x',
    createdAt: '2026-02-12T00:00:00Z',
  }
  const refund = {
    ...{ ...common, id: 'refund_1', creditNote: 'credit_note_1', status: 'failed', amount: usd('150') },
    ...{ reason: 'duplicate', failureReason: 'expired_or_canceled_card' },
  }
  const note = {
    ...{
      ...common,
      id: 'credit_note_1',
      status: 'issued',
      total: usd('220'),
      reason: null,
      number: 'A-0003-CN-01',
    },
    ...{ prePayment: usd('0'), refunded: usd('150'), credited: usd('70'), outOfBand: usd('0') },
    pdf: 'https://pay.example/cn.pdf',
  }
  fake.answers = {
    'GET /v1/invoices/invoice_1/refunds': page(refund),
    'GET /v1/invoices/invoice_1/credit-notes': page(note),
  }
  const refunds = await fake.run(['invoices', 'refunds', 'invoice_1'])
  expect(refunds.stdout).toMatch(
    /2026-02-12 +1\.50 usd +failed: expired_or_canceled_card +duplicate +credit_note_1 +refund_1/,
  )
  const notes = await fake.run(['invoices', 'credit-notes', 'invoice_1'])
  expect(notes.stdout).toMatch(
    /2026-02-12 +2\.20 usd +1\.50 +0\.70 +issued +A-0003-CN-01 +credit_note_1 +https:\/\/pay\.example\/cn\.pdf/,
  )
})
