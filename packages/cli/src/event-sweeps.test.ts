import { afterAll, expect, test } from 'vitest'
import { newFakeService } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const missed = (ordinal: number) => ({
  ...{ id: `evt_${ordinal}`, type: 'customer.updated', created: '2026-10-20T15:42:00Z', undelivered: true },
})
const swept = {
  ...{ dryRun: false, from: '2026-10-19T13:42:00Z', readsEverything: false, read: 163, missed: 0 },
  ...{ events: [], unstorable: [], stalled: 0, objects: { looked: 9, changed: 0, failed: 0 } },
}
async function told(more: object): Promise<string> {
  fake.answers = { 'POST /v1/event-sweeps': { body: { ...swept, ...more } } }
  return (await fake.run(['events', 'sweep', '--apply', '--yes'])).stdout
}

test('what a sweep could not take in is told, and then nothing is said to be well', async () => {
  expect(await told({})).toMatch(/^✓ Of 163 events since 2026-10-19 13:42, 0 were not here\./)
  const failed = await told({ objects: { looked: 9, changed: 0, failed: 2 } })
  expect(failed).not.toMatch(/^✓/)
  expect(failed).toContain("✗ 2 could not be written down: the service's log says which and why.")
  const unstorable = [{ id: 'evt_9', reason: 'It holds what cannot be stored as JSON.' }]
  expect(await told({ missed: 1, events: [missed(9)], unstorable })).toContain(
    '✗ evt_9 cannot be stored: It holds what cannot be stored as JSON.',
  )
})

test('of more than are named it says how many more there are', async () => {
  const events = Array.from({ length: 100 }, (_, ordinal) => missed(ordinal))
  expect(await told({ missed: 137, events })).toContain('… and 37 more')
  expect(await told({ missed: 100, events })).not.toContain('more')
})
