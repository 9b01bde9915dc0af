import { afterAll, expect, test } from 'vitest'
import { newFakeService } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const usd = (amount: string, minor: string) => ({ amount, minor, currency: 'usd' })

const yen = { amount: '1200', minor: '1200', currency: 'jpy' }

const proven = {
  counts: [{ type: 'customer', there: 2, here: 2 }],
  mrr: [
    { there: yen, here: yen },
    { there: usd('1234.50', '123450'), here: usd('1234.50', '123450') },
  ],
  ...{ subscriptions: 30, unequalCount: 0, unequal: [], meteredThere: 0 },
  ...{ unequalRevenueCount: 0, unequalRevenue: [] },
}

async function imported(proof: object) {
  const ended = {
    ...{ id: 'import_1', dryRun: false, state: 'completed', problem: null },
    ...{ createdAt: '2026-01-20T00:00:00Z', endedAt: '2026-01-20T00:01:30Z' },
    ...{ progress: [], secondsLeft: 0, refusals: [], left: [], proof },
  }
  fake.answers = {
    'POST /v1/imports': { status: 202, body: ended },
    'GET /v1/imports/import_1': { body: ended },
  }
  return fake.run(['import', 'stripe', '--yes'])
}

test('a proof that holds says in money what a month brings', async () => {
  const { code, stdout, stderr } = await imported(proven)
  expect(code).toBe(0)
  // How far it is, in lines of their own where no terminal writes over them.
  expect(stderr).toContain('Taking up what stands at Stripe: completed\n')
  expect(stderr).not.toContain('\r')
  expect(stdout).toContain(
    '✓ 30 subscriptions held against each other, 0 differ; a month brings 1,200 jpy, 1,234.50 usd.',
  )
})

test('one that does not hold names whom it is about, the first twenty, and ends with 1', async () => {
  const differing = (n: number) => ({
    ...{ subscription: `subscription_${n}`, customer: `customer_${n}`, providerId: `sub_${n}` },
    ...{ there: usd('12.00', '1200'), here: usd('1234.00', '123400') },
  })
  const { code, stdout } = await imported({
    ...proven,
    counts: [{ type: 'customer', there: 2, here: 1 }],
    mrr: [{ there: usd('360.00', '36000'), here: usd('37020.00', '3702000') }],
    unequalCount: 1,
    unequal: [
      { providerId: 'sub_77', differences: [{ field: 'status', here: 'active', there: 'canceled' }] },
    ],
    unequalRevenueCount: 30,
    unequalRevenue: Array.from({ length: 30 }, (_, n) => differing(n)),
  })
  expect(code).toBe(1)
  expect(stdout).toContain('1 differ; a month brings 37,020.00 here, 360.00 there usd.')
  expect(stdout).toContain('✗ of 2 × customer, 1 are here')
  expect(stdout).toMatch(/sub_77 +status active here, canceled there/)
  expect(stdout).toMatch(/sub_0 +customer_0 +12\.00 +1,234\.00 +usd/)
  expect(stdout).toContain('sub_19')
  expect(stdout).not.toContain('sub_20')
  expect(stdout).toContain('and 10 more: see GET /v1/imports/import_1, which names 30.')
})

test('an item that Stripe alone bills is named with what to do, and the proof holds', async () => {
  const item = { subscription: 'subscription_1', providerId: 'sub_1', price: 'price_1', because: 'rhythm' }
  const { code, stdout } = await imported({
    ...proven,
    ...{ billedThereCount: 1, billedThere: [{ ...item, month: usd('7.50', '750') }] },
  })
  expect(code).toBe(0)
  expect(stdout).toContain('Stripe alone bills 1 × item beside what is here')
  expect(stdout).toContain('move it to a subscription of its own at Stripe')
  expect(stdout).toMatch(/sub_1 +price_1 +rhythm +7\.50 +usd/)
})

test('one that is under way already is followed; a dry run of it is not taken for the import', async () => {
  const ended = {
    ...{ id: 'import_1', dryRun: false, state: 'completed', problem: null },
    ...{ createdAt: '2026-01-20T00:00:00Z', endedAt: '2026-01-20T00:01:30Z' },
  }
  const underWay = {
    ...{ type: '/docs/problems/import_in_progress', title: 'An import is under way.', status: 409 },
    ...{ code: 'import_in_progress', detail: 'An import of this account is under way.' },
  }
  fake.answers = {
    'POST /v1/imports': { status: 409, body: underWay },
    'GET /v1/imports?limit=1': { body: { data: [ended], hasMore: false, nextCursor: null } },
    'GET /v1/imports/import_1': {
      body: { ...ended, progress: [], secondsLeft: 0, refusals: [], left: [], proof: proven },
    },
  }
  const followed = await fake.run(['import', 'stripe', '--yes'])
  expect(followed).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('import_1 is under way already'),
  })
  expect(followed.stdout).toContain('30 subscriptions held against each other')
  const refused = await fake.run(['import', 'stripe', '--dry-run'])
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is under way') })
})
