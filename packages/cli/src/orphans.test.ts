import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const found = { type: 'subscription', operation: 'workflow_1/start-subscription', reason: 'Somebody paid.' }
const known = {
  ...found,
  ...{ providerId: 'sub_1', customer: 'customer_1', externalId: 'ada', providerCustomer: 'cus_1' },
  madeAt: '2026-01-10T09:30:00Z',
}
const unknown = {
  ...found,
  ...{ providerId: 'sub_2', customer: null, externalId: null, providerCustomer: 'cus_2' },
  madeAt: '2026-01-11T00:00:00Z',
}

test('orphans are listed with whose they are and since when, as far as that is known', async () => {
  const row = { state: 'parked', foundAt: '2026-01-12T02:00:00Z', judgedAt: '2026-01-12T02:00:00Z' }
  const old = { ...unknown, ...row, providerId: 'sub_3', providerCustomer: null, madeAt: null }
  fake.answers = {
    'GET /v1/orphans?limit=50&state=parked': page({ ...known, ...row }, { ...unknown, ...row }, old),
  }
  const { stdout } = await fake.run(['orphans', 'list', '--state', 'parked'])
  expect(stdout).toMatch(/2026-01-12 02:00 +2026-01-10 09:30 +sub_1 +ada +parked +Somebody paid\./)
  expect(stdout).toMatch(/2026-01-12 02:00 +2026-01-11 +sub_2 +cus_2 +parked/)
  expect(stdout).toMatch(/2026-01-12 02:00 +– +sub_3 +– +parked/)
})

test('a sweep that would do something says with whose', async () => {
  const orphans = [known, unknown].map((one) => ({ ...one, verdict: 'park' }))
  fake.answers = { 'POST /v1/orphan-sweeps': { body: { dryRun: true, looked: 7, orphans } } }
  const { stdout } = await fake.run(['orphans', 'sweep'])
  expect(stdout).toMatch(/park +sub_1 +ada +2026-01-10 09:30 +Somebody paid\./)
  expect(stdout).toMatch(/park +sub_2 +cus_2 +2026-01-11 +Somebody paid\./)
  // A service of before does not say it.
  const untold = [{ ...found, providerId: 'sub_1', verdict: 'park' }]
  fake.answers = { 'POST /v1/orphan-sweeps': { body: { dryRun: true, looked: 7, orphans: untold } } }
  expect((await fake.run(['orphans', 'sweep'])).stdout).toMatch(/park +sub_1 +– +– +Somebody paid\./)
})
