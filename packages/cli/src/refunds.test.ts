import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const stuck = {
  ...{ id: 'refund_1', invoice: 'invoice_1', providerId: 're_1', status: 'failed' },
  ...{ createdAt: '2026-01-10T02:00:00Z', amount: { amount: '20.00', minor: '2000', currency: 'usd' } },
  ...{ stuck: { code: 'failed', detail: 'The bank sent it back.' }, acknowledgement: null },
}
const said = { reason: 'Paid in cash', agent: null, by: 'api_key_1', at: '2026-01-12T09:00:00Z' }
const acknowledgement = 'POST /v1/stuck-refunds/refund_1/acknowledgement'

test('what is stuck is listed by what it is acknowledged with, all of it on request', async () => {
  fake.answers = {
    'GET /v1/stuck-refunds?limit=50': page(stuck),
    'GET /v1/stuck-refunds?all=true&limit=50': page(stuck, { ...stuck, acknowledgement: said }),
  }
  const open = await fake.run(['refunds', 'stuck'])
  expect(open.stdout).toMatch(
    /2026-01-10 02:00 +20\.00 +invoice_1 +refund_1 +re_1 +The bank sent it back\.\n/,
  )
  expect(open.stdout).not.toContain('acknowledged')
  const all = await fake.run(['refunds', 'stuck', '--all'])
  expect(all.stdout).toContain('acknowledged: Paid in cash')
})

test('one is acknowledged with a reason, shown first, and nothing without being asked', async () => {
  fake.answers = {
    [acknowledgement]: { body: stuck },
    [`${acknowledgement}?dryRun=false`]: { body: { ...stuck, acknowledgement: said } },
  }
  const args = ['refunds', 'acknowledge', 'refund_1', '--reason', 'Paid in cash']
  const askedOf = () => fake.asked.splice(0).map(({ request }) => request)
  askedOf()
  expect((await fake.run(['refunds', 'acknowledge', 'refund_1'])).stderr).toContain('--reason')
  const nobody = await fake.run(args)
  expect(nobody.stderr).toContain('--yes')
  expect((await fake.run([...args, '--dry-run'])).stdout).toContain('refund_1')
  expect(askedOf()).toEqual([acknowledgement, acknowledgement])
  const done = await fake.run([...args, '--agent', 'eve', '--yes'])
  expect(done.stdout).toBe('✓ refund_1  acknowledged 2026-01-12 09:00: Paid in cash\n')
  expect(fake.asked).toMatchObject([
    { request: `${acknowledgement}?dryRun=false`, body: { reason: 'Paid in cash', agent: 'eve' } },
  ])
})
