import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const customer = {
  ...{ id: 'customer_1', externalId: 'ada', name: null, email: null, currency: 'usd', testClock: null },
  ...{ providerId: null, createdAt: '2026-01-10T00:00:00Z' },
}
const period = { start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' }
const limit = {
  ...{ id: 'spend_limit_1', customer: 'customer_1', owner: 'operator', meter: null, currency: 'usd' },
  ...{ cap: '1000.00', alerts: ['250.00'], alertPercents: [80], madeBy: 'api_key_1' },
  ...{ madeAt: '2026-01-20T00:00:00Z', ended: null },
  standing: [{ subscription: 'subscription_1', period, spent: '1200.00', capReached: true }],
}
const reached = {
  ...{ id: 'spend_alert_1', kind: 'cap', customer: 'customer_1', subscription: 'subscription_1' },
  ...{
    invoice: 'invoice_1',
    period,
    limit: 'spend_limit_1',
    owner: 'operator',
    meter: 'seconds',
    currency: null,
  },
  ...{ at: '50', spent: '50.5', reachedAt: '2026-01-21T00:00:00Z' },
}

test('a limit is set, shown with how far it is used, and taken away', async () => {
  const path = '/v1/customers/customer_1/spend-limits'
  fake.answers = {
    'GET /v1/customers?externalId=ada&limit=1': page(customer),
    [`POST ${path}`]: { status: 201, body: limit },
    [`GET ${path}?ended=false`]: page(limit),
    [`DELETE ${path}/spend_limit_1`]: { body: { ...limit, standing: [] } },
    'GET /v1/customers/customer_1/spend-alerts': page(reached),
  }
  const figures = ['--cap', '1000.00', '--alert', '250.00', '--percent', '80']
  const set = await fake.run(['limits', 'set', 'ada', ...figures])
  expect(set.stdout).toBe('✓ cap 1,000.00 usd, told at 250.00 usd, 80 %  spend_limit_1\n')
  expect(fake.asked.at(-1)?.body).toEqual({
    ...{ owner: 'operator', cap: '1000.00', alerts: ['250.00'], alertPercents: [80] },
  })
  const list = await fake.run(['limits', 'list', 'ada'])
  expect(list.stdout).toMatch(
    /amount +operator +1,000\.00 usd +1,200\.00 usd \(cap reached\) +told at 250\.00 usd, 80 %/,
  )
  const ended = await fake.run(['limits', 'end', 'ada', 'spend_limit_1'])
  expect(ended.stdout).toBe('✓ ended  spend_limit_1\n')
  const alerts = await fake.run(['limits', 'reached', 'ada'])
  expect(alerts.stdout).toMatch(
    /2026-01-21 +cap +50 seconds +50\.5 seconds +operator +2026-01-10 +subscription_1/,
  )
})

test('add-ons are listed with what they go with', async () => {
  const addon = {
    ...{ key: 'backups', version: 2, name: 'Backups', audience: 'public', product: 'app', currency: 'usd' },
    ...{
      interval: 'month',
      intervalCount: 1,
      plans: ['team'],
      grants: [],
      createdAt: '2026-01-10T00:00:00Z',
    },
    prices: [],
  }
  fake.answers = { 'GET /v1/addons?plan=team&limit=50': page(addon, { ...addon, key: 'extra', plans: null }) }
  const { stdout } = await fake.run(['addons', 'list', '--plan', 'team'])
  expect(stdout).toMatch(/backups +Backups +2 +usd +1 month +team +public/)
  expect(stdout).toMatch(/extra +Backups +2 +usd +1 month +any plan +public/)
})
