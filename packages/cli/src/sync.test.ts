import { afterAll, expect, test } from 'vitest'
import { newFakeService } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const usd = (minor: string) => ({ amount: (Number(minor) / 100).toFixed(2), minor, currency: 'usd' })
const inStep = {
  ...{ status: 'inStep', open: 2, stale: 0, lagSeconds: 0, lastSuccess: '2026-01-20T00:00:00Z' },
  ...{ failing: [], failures: [], totals: [] },
  schedule: {
    ...{ cron: '0 * * * *', spreadSeconds: 300, nextRun: '2026-01-20T10:00:00Z' },
    lastRun: { at: '2026-01-20T09:00:00Z', due: 5, told: 3, failed: 1 },
  },
}

test('in step ends with 0; failing says whose and why, and ends with 1', async () => {
  fake.answers = { 'GET /v1/sync-status?limit=20': { body: inStep } }
  const good = await fake.run(['sync', 'status'])
  expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('✓ in step') })
  expect(good.stdout).toContain(
    'last run 2026-01-20 09:00: 5 to tell, 3 told, 1 failed, 1 not looked at yet; next run 2026-01-20 10:00, spread over 5 min 0 s',
  )
  expect(good.stdout).toContain('2 open, 0 stale; last success')
  // Three days and a bit are not told in minutes.
  fake.answers = { 'GET /v1/sync-status?limit=20': { body: { ...inStep, stale: 1, lagSeconds: 262_916 } } }
  expect((await fake.run(['sync', 'status'])).stdout).toContain('told longest ago 3 d 1 h')
  fake.answers = { 'GET /v1/sync-status?limit=20': { body: { ...inStep, stale: 1, lagSeconds: 5460 } } }
  expect((await fake.run(['sync', 'status'])).stdout).toContain('told longest ago 1 h 31 min')
  const problem = {
    code: 'provider_refused',
    title: 'The payment provider refused.',
    detail: 'No such product.',
  }
  const failure = {
    ...{ invoice: 'invoice_1', customer: 'customer_1', externalId: 'ada', subscription: 'subscription_1' },
    ...{ problem, needsAttention: true, syncedAt: null },
  }
  const totals = [
    { currency: 'usd', standing: usd('120'), sent: usd('5000'), billed: usd('4900'), equal: false },
  ]
  const schedule = { ...inStep.schedule, lastRun: null }
  fake.answers = {
    'GET /v1/sync-status?limit=20': {
      body: { ...inStep, status: 'failing', stale: 1, failures: [failure], totals, schedule },
    },
  }
  const bad = await fake.run(['sync', 'status'])
  expect(bad.code).toBe(1)
  expect(bad.stdout).toContain('last run never; next run 2026-01-20 10:00')
  expect(bad.stdout).toMatch(
    /ada +invoice_1 +never +The payment provider refused\. No such product\. +look at it/,
  )
  expect(bad.stdout).toMatch(/usd +1\.20 +50\.00 +49\.00 +differ/)
})

test('a sync is run for one invoice, and says what it sent', async () => {
  const period = { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }
  const item = { line: 'compute', description: 'Seconds: 120 second', period, amount: usd('120') }
  const plan = {
    invoice: 'invoice_1',
    dryRun: false,
    create: [item],
    update: [],
    remove: [],
    keep: [],
    calls: 1,
  }
  fake.answers = { 'POST /v1/invoices/invoice_1/sync?dryRun=false&look=true': { body: plan } }
  const { stdout } = await fake.run(['sync', 'run', 'invoice_1'])
  expect(stdout).toMatch(/create +1\.20 +usd +Seconds: 120 second/)
  expect(stdout).toContain('1 call')
})

test('a sync that goes on for longer than anybody waits says what is wrong, not that it is asked for twice', async () => {
  const running = { type: '/docs/problems/idempotency_key_in_use', title: 'Still running.', status: 409 }
  const inUse = { status: 409, body: { ...running, code: 'idempotency_key_in_use', detail: 'Not ended.' } }
  const syncProblem = {
    code: 'provider_unavailable',
    title: 'The payment provider cannot be reached.',
    detail: 'It answered 500.',
  }
  const invoice = { id: 'invoice_1', syncProblem }
  fake.answers = {
    'POST /v1/invoices/invoice_1/sync?dryRun=false&look=true': inUse,
    'GET /v1/invoices/invoice_1': { body: invoice },
  }
  const told = await fake.run(['sync', 'run', 'invoice_1'])
  expect(told.code).toBe(1)
  expect(told.stderr).toContain('The payment provider cannot be reached.')
  expect(told.stderr).toContain('It answered 500.')
  fake.answers['GET /v1/invoices/invoice_1'] = { body: { ...invoice, syncProblem: null } }
  const slow = await fake.run(['sync', 'run', 'invoice_1'])
  expect([slow.code, slow.stderr.includes('The sync still runs.')]).toEqual([1, true])
})
