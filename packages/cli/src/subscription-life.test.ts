import { afterAll, beforeEach, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

// From its beginning to its end by the terminal: what is sent, what is asked before, and what the exit code says.

const fake = await newFakeService()
const subscriptions = (...args: string[]) => fake.run(['subscriptions', ...args])
afterAll(() => {
  fake.close()
})
beforeEach(() => {
  fake.answers = {}
  fake.asked = []
})

const ada = {
  ...{ id: 'customer_1', externalId: 'ada', name: null, email: null, currency: 'usd', testClock: null },
  ...{ providerId: 'cus_1', createdAt: '2026-01-01T00:00:00Z' },
}
const running = {
  ...{ id: 'subscription_2', customer: 'customer_1', externalId: 'ada', slot: 'default', plan: 'gift' },
  ...{ planVersion: 1, status: 'active', access: 'full', pastDueSince: null, graceEndsAt: null },
  ...{ currency: 'usd', quantity: 1, addons: [], billingCycleAnchor: '2026-01-10T00:00:00Z', trial: null },
  currentPeriod: { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' },
  ...{ cancelAt: null, cancelAtPeriodEnd: false, canceledAt: null, endedAt: null, modifiedAt: null },
  ...{ startedAt: '2026-01-10T00:00:00Z', collection: 'charging', collectionResumesAt: null },
  ...{ scheduledChange: null, unreadSchedule: null, providerId: 'sub_2', createdAt: '2026-01-10T00:00:00Z' },
}
const over = { ...running, id: 'subscription_1', access: 'ended', status: 'canceled' }
const registration = {
  ...{ id: 'registration_1', customer: 'customer_1', externalId: 'ada', subscription: null, plan: 'gift' },
  ...{ planVersion: 1, purchase: 'membership', state: 'running', action: null, problem: null, stage: null },
  ...{ remains: [], nextAttemptAt: null, requestOrigin: null, steps: [] },
}
const terms = (plan: string) => ({ plan, planVersion: 1, quantity: 1, addons: [] })
const planChange = {
  ...{ id: 'plan_change_1', subscription: 'subscription_2', customer: 'customer_1' },
  ...{ from: terms('team'), to: terms('basic'), coupons: ['season'], withoutCoupons: ['old'] },
  ...{ direction: 'downgrade', takesEffect: 'periodEnd', state: 'scheduled', action: null, problem: null },
  ...{ dueAt: '2026-02-10T00:00:00Z', effectiveAt: null, contract: null, requestedBy: 'api_key_1' },
  ...{ requestOrigin: 'cli', createdAt: '2026-01-12T00:00:00Z' },
}
const bodyOf = (request: string) => fake.asked.find((asked) => asked.request === request)?.body

test('an administrator gives a subscription; one that is still on its way is waited for', async () => {
  fake.answers = { 'POST /v1/subscriptions': { status: 201, body: running } }
  const at = ['--plan', 'gift', '--addon', 'backups=2', '--trial-again', '--email', 'ada@example.org']
  const given = await subscriptions('create', 'ada', ...at)
  expect(given).toMatchObject({ code: 0, stdout: expect.stringContaining('ada on gift, version 1: active') })
  expect(bodyOf('POST /v1/subscriptions')).toEqual({
    ...{ externalId: 'ada', plan: 'gift', addons: [{ addon: 'backups', quantity: 2 }], trial: 'again' },
    ...{ email: 'ada@example.org', requestOrigin: 'cli' },
  })

  const problem = { code: 'card_declined', title: 'The card was declined.', detail: 'Insufficient funds.' }
  fake.answers = {
    'POST /v1/subscriptions': { status: 202, body: registration },
    'GET /v1/registrations/registration_1': { body: { ...registration, state: 'rolledBack', problem } },
  }
  const declined = await subscriptions('create', 'ada', '--plan', 'gift')
  expect(declined).toMatchObject({ code: 1, stdout: expect.stringContaining('The card was declined.') })
})

test('what is over is begun anew as it was, or as told', async () => {
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    'GET /v1/subscriptions?customer=customer_1': page(over),
    'POST /v1/subscriptions/subscription_1/reactivate': { status: 201, body: running },
  }
  const again = await subscriptions('reactivate', 'ada', '--yes')
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('subscription_2') })
  const asked = 'POST /v1/subscriptions/subscription_1/reactivate'
  expect(bodyOf(asked)).toEqual({})
  fake.asked = []
  await subscriptions('reactivate', 'ada', '--plan', 'basic', '--quantity', '3', '--without-addons', '--yes')
  expect(bodyOf(asked)).toEqual({ plan: 'basic', quantity: 3, addons: [] })
})

test('what begins anew is shown, and needs a person or --yes', async () => {
  const usd = (amount: string) => ({ amount, minor: amount.replace('.', ''), currency: 'usd' })
  const period = { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' }
  const line = { description: 'Team', period, quantity: 2, amount: usd('24.00'), isProration: false }
  const sums = { subtotal: usd('24.00'), total: usd('24.00'), amountDue: usd('20.00'), credited: usd('0') }
  const preview = {
    ...{ subscription: 'subscription_1', trialEndsAt: null, recurring: usd('24.00'), token: 'start1.x.y' },
    to: { plan: 'team', planVersion: 2, quantity: 2, addons: [] },
    ...{ dueNow: { at: '2026-03-01T00:00:00Z', lines: [line], ...sums }, expiresAt: '2026-03-01T01:00:00Z' },
  }
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    'GET /v1/subscriptions?customer=customer_1': page(over),
    'POST /v1/subscriptions/subscription_1/reactivate/preview': { body: preview },
  }
  const { stdout } = await subscriptions('reactivate', 'ada', '--dry-run')
  expect(stdout).toMatch(/team v2 × 2\n\ndue now\n/)
  expect(stdout).toMatch(/charged +20\.00/)
  expect(stdout).toContain('a period    24.00 usd, before discounts and tax')
  const { code, stderr } = await subscriptions('reactivate', 'ada')
  expect([code, stderr]).toEqual([2, expect.stringContaining('--yes')])
  expect(fake.asked.map(({ request }) => request)).not.toContain(
    'POST /v1/subscriptions/subscription_1/reactivate',
  )
})

test('changes are listed, gone on with and given up; the one that has not ended needs no id', async () => {
  const done = { ...planChange, id: 'plan_change_0', state: 'effective', effectiveAt: '2026-01-10T00:00:00Z' }
  const declined = { code: 'card_declined', title: 'The card was declined.', detail: 'Insufficient funds.' }
  const way = '/v1/subscriptions/subscription_2/changes'
  fake.answers = {
    [`GET ${way}`]: page(planChange, done),
    [`GET ${way}/plan_change_1`]: { body: { ...planChange, state: 'withdrawn' } },
    [`POST ${way}/plan_change_1/cancel`]: { status: 202, body: planChange },
    [`GET ${way}/plan_change_7`]: { body: { ...planChange, state: 'refused', problem: declined } },
    [`POST ${way}/plan_change_7/resume`]: { status: 202, body: planChange },
  }
  const { stdout } = await subscriptions('changes', 'subscription_2')
  expect(stdout).toMatch(
    /2026-01-12 +scheduled +2026-02-10 +team v1 +basic v1 +\+ season, − old +api_key_1 +plan_change_1/,
  )
  expect(stdout).toMatch(/effective +2026-01-10 +team v1/)

  const nobody = await subscriptions('cancel-change', 'subscription_2')
  expect([nobody.code, nobody.stderr.includes('Nobody is here to confirm it')]).toEqual([2, true])
  expect(fake.asked.some(({ request }) => request.startsWith('POST'))).toBe(false)
  const givenUp = await subscriptions('cancel-change', 'subscription_2', '--yes')
  expect(givenUp).toMatchObject({ code: 0, stdout: expect.stringContaining('It was given up.') })

  const resumed = await subscriptions('resume-change', 'subscription_2', 'plan_change_7')
  expect(resumed).toMatchObject({ code: 1, stdout: expect.stringContaining('The card was declined.') })

  fake.answers[`GET ${way}`] = page(done)
  const none = await subscriptions('cancel-change', 'subscription_2', '--yes')
  expect([none.code, none.stderr.includes('no change that has not ended')]).toEqual([2, true])
})

test('a trial is ended now or at another date, and the customer has another address', async () => {
  const asked = 'PATCH /v1/subscriptions/subscription_2'
  fake.answers = {
    [asked]: { body: { subscription: running, change: { ...planChange, state: 'effective' } } },
  }
  await subscriptions('change', 'subscription_2', '--end-trial', '--email', 'a@example.org', '--yes')
  expect(bodyOf(asked)).toEqual({ trial: 'end', email: 'a@example.org', requestOrigin: 'cli' })
  fake.asked = []
  await subscriptions('change', 'subscription_2', '--trial-end', '2026-03-01', '--name', 'Ada', '--yes')
  expect(bodyOf(asked)).toEqual({ trialEnd: '2026-03-01T00:00:00Z', name: 'Ada', requestOrigin: 'cli' })
})

test('a list may be of one customer, of an add-on, of trials that end and of what changed lately', async () => {
  const time = (day: string) => encodeURIComponent(`${day}T00:00:00Z`)
  const query =
    `addon=backups&trialEndsBefore=${time('2026-02-01')}&modifiedAfter=${time('2026-01-01')}` +
    '&customer=customer_1&limit=50'
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    [`GET /v1/subscriptions?${query}`]: page(running),
  }
  const when = ['--trial-ends-before', '2026-02-01', '--modified-after', '2026-01-01']
  const { stdout } = await subscriptions('list', '--customer', 'ada', '--addon', 'backups', ...when)
  expect(stdout).toContain('subscription_2')
})

test('deleting a customer shows what runs, and needs a person or --yes', async () => {
  const runs = { subscription: running, currentInvoice: null, closingInvoices: [] }
  const more = { openInvoices: [], syncedAt: null, stale: false, syncRequested: false }
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(ada),
    'GET /v1/customers/customer_1/billing': { body: { customer: ada, subscriptions: [runs], ...more } },
    'DELETE /v1/customers/customer_1': {
      body: { customer: 'customer_1', ended: ['subscription_2'], state: 'waiting' },
    },
  }
  const remove = (...more: string[]) => fake.run(['customers', 'delete', 'ada', ...more])
  const nobody = await remove()
  expect([nobody.code, nobody.stdout.includes('subscription_2')]).toEqual([2, true])
  expect((await remove('--dry-run')).stdout).toContain('subscription_2')
  expect(fake.asked.some(({ request }) => request.startsWith('DELETE'))).toBe(false)
  const done = await remove('--yes')
  expect(done.stdout).toBe('Erased by itself when the last invoice is final.\nended  subscription_2\n')
})
