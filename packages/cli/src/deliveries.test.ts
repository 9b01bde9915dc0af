import { afterAll, expect, test } from 'vitest'
import { newFakeService } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const REPLAY = 'POST /v1/webhook-endpoints/webhook_endpoint_1/replay'
const replay = ['deliveries', 'replay', 'webhook_endpoint_1', '--since', '2026-01-31']

test('a replay says what it would send; it sends that only after a yes, and nobody is here to say it', async () => {
  fake.answers = { [REPLAY]: { body: { dryRun: true, events: 3, deliveredBefore: 1 } } }
  const planned = await fake.run(replay)
  expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing was sent.') })
  const asked = await fake.run([...replay, '--apply'])
  expect(asked.code).not.toBe(0)
  expect(asked.stdout).toContain('3 events, 1 of them taken before.')
  expect(asked.stderr).toContain('--yes')
  expect(fake.asked.map(({ body }) => body)).toEqual([
    expect.objectContaining({ dryRun: true }),
    expect.objectContaining({ dryRun: true }),
  ])
  const sent = await fake.run([...replay, '--apply', '--yes'])
  expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining('Queued: 3 events') })
  expect(fake.asked.at(-1)?.body).toMatchObject({ dryRun: false })
})

test('a service of before names the endpoint of a delivery, not where that is', async () => {
  const delivery = {
    ...{ id: 'delivery_1', event: 'event_1', type: 'invoice.paid', subject: 'invoice_1' },
    ...{ customer: null, endpoint: 'webhook_endpoint_1', state: 'delivered', attempts: 1 },
    ...{ happenedAt: '2026-01-31T00:00:00Z', nextAttemptAt: null, lastStatus: 200 },
  }
  fake.answers = {
    'GET /v1/deliveries?limit=50': { body: { data: [delivery], hasMore: false, nextCursor: null } },
    'GET /v1/deliveries/delivery_1': { body: { ...delivery, log: [], data: null } },
  }
  expect((await fake.run(['deliveries', 'list'])).stdout).toMatch(/invoice_1 +webhook_endpoint_1 +delivered/)
  const shown = await fake.run(['deliveries', 'show', 'delivery_1'])
  expect(shown.stdout).toMatch(/to +webhook_endpoint_1/)
  expect(shown.stdout).not.toContain('undefined')
})
