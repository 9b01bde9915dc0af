import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const customer = {
  ...{ id: 'customer_1', externalId: 'ada', name: 'Ada', email: null, currency: 'kwd', testClock: null },
  ...{ providerId: 'cus_1', createdAt: '2026-01-10T00:00:00Z' },
}
const period = { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }
const found = { 'GET /v1/customers?externalId=ada&limit=1': page(customer) }

test('a customer is shown with what runs, listed, and made', async () => {
  const subscription = { id: 'subscription_1', plan: 'team', quantity: 3, status: 'active' }
  const total = { amount: '12.500', minor: '12500', currency: 'kwd' }
  const billed = {
    subscription: { ...subscription, currentPeriod: period },
    currentInvoice: { total, currency: 'kwd' },
    closingInvoices: [],
  }
  fake.answers = {
    ...found,
    'GET /v1/customers/customer_1/billing': { body: { customer, subscriptions: [billed], openInvoices: [] } },
    'GET /v1/customers?limit=50': page(customer),
    'POST /v1/customers': { status: 201, body: customer },
  }
  const { stdout } = await fake.run(['customers', 'show', 'ada'])
  expect(stdout).toMatch(/^ada +customer_1\n/)
  expect(stdout).toMatch(/pays in +kwd/)
  expect(stdout).toMatch(/team × 3 +active +2026-01-10 … 2026-02-10 +12\.500 kwd +subscription_1/)
  expect(stdout).not.toContain('e-mail')
  expect((await fake.run(['customers', 'list'])).stdout).toContain('cus_1')
  const made = await fake.run(['customers', 'create', 'ada', '--name', 'Ada'])
  expect(made.stdout).toBe('✓ ada  customer_1\n')
  expect(fake.asked.at(-1)?.body).toEqual({ externalId: 'ada', name: 'Ada' })
})

test('one who was deleted at the provider is shown as that, and not as one who is not there yet', async () => {
  const gone = { ...customer, providerId: null, deletedAtProvider: '2026-01-20T09:30:00Z' }
  const overview = (of: object) => ({ body: { customer: of, subscriptions: [], openInvoices: [] } })
  fake.answers = {
    ...found,
    'GET /v1/customers/customer_1/billing': overview(gone),
    'GET /v1/customers?limit=50': page(gone),
  }
  expect((await fake.run(['customers', 'show', 'ada'])).stdout).toMatch(
    /provider +deleted there 2026-01-20 09:30/,
  )
  expect((await fake.run(['customers', 'list'])).stdout).toContain('deleted there 2026-01-20 09:30')
  const never = { ...gone, deletedAtProvider: null }
  fake.answers = { ...found, 'GET /v1/customers/customer_1/billing': overview(never) }
  expect((await fake.run(['customers', 'show', 'ada'])).stdout).toMatch(/provider +not there yet/)
})

test('a service that does not say yet what waits for payment is no reason to fall over', async () => {
  const body = { customer, subscriptions: [] }
  fake.answers = { ...found, 'GET /v1/customers/customer_1/billing': { body } }
  for (const command of ['customers', 'invoices'])
    expect(await fake.run([command, 'show', 'ada'])).toMatchObject({ code: 0, stderr: '' })
})

test('what waits for payment is shown with when it is tried next and where it is paid', async () => {
  const left = { amount: '1234.500', minor: '1234500', currency: 'kwd' }
  const waits = {
    id: 'invoice_1',
    number: 'A-1',
    amountRemaining: left,
    hostedInvoiceUrl: 'http://pay.example/1',
  }
  const openInvoices = [
    { ...waits, nextPaymentAttemptAt: '2026-02-13T01:00:00Z' },
    { ...waits, ...{ id: 'invoice_2', number: 'A-2' }, nextPaymentAttemptAt: null },
  ]
  const body = { customer, subscriptions: [], openInvoices }
  fake.answers = { ...found, 'GET /v1/customers/customer_1/billing': { body } }
  for (const command of ['customers', 'invoices']) {
    const { stdout } = await fake.run([command, 'show', 'ada'])
    expect(stdout).toContain('Waits for payment:')
    expect(stdout).toMatch(/A-1 +1,234\.500 kwd +2026-02-13 01:00 +invoice_1 +http:\/\/pay\.example\/1/)
    expect(stdout).toMatch(/A-2 +1,234\.500 kwd +not by itself +invoice_2/)
  }
})

test('what a customer used is shown by meter, time and dimension', async () => {
  const day = { start: '2026-01-12T00:00:00Z', end: '2026-01-13T00:00:00Z' }
  const used = { meter: 'seconds', unitLabel: 'second', ...day, quantity: '300.5', events: 1200 }
  fake.answers = {
    ...found,
    'GET /v1/usage?customer=customer_1&start=2026-01-10T00%3A00%3A00Z&groupBy=day&by=region': {
      body: { customer: 'customer_1', period, data: [{ ...used, dimensions: { region: 'eu' } }] },
    },
  }
  const { stdout, stderr } = await fake.run([
    ...['usage', 'show', 'ada', '--from', '2026-01-10', '--each', 'day', '--by', 'region'],
  ])
  expect(stderr).toBe('')
  expect(stdout).toMatch(/seconds +eu +2026-01-12 … 2026-01-13 +300\.5 +second +1,200/)
})
