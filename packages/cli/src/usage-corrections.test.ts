import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const usd = (minor: string) => ({ amount: (Number(minor) / 100).toFixed(2), minor, currency: 'usd' })
const preview = {
  ...{ kind: 'amend', customer: 'customer_1', meter: 'seconds', event: { source: 'cluster', id: 'job-1' } },
  period: { start: '2026-01-11T10:00:00Z', end: '2026-01-11T10:00:01Z' },
  removed: { events: 1, quantity: '100' },
  added: { events: 1, quantity: '60' },
  invoices: [
    {
      ...{ invoice: 'invoice_1', final: true },
      lines: [
        {
          line: 'compute',
          quantity: { before: '100', after: '60' },
          amount: { before: usd('100'), after: usd('60') },
        },
      ],
    },
  ],
}
const record = { reason: 'A faulty host', madeBy: 'api_key_1', agent: null, madeAt: '2026-02-11T00:00:00Z' }
const correction = { ...preview, ...record, id: 'usage_correction_1' }

test('a correction is shown before it is done, and its record afterwards', async () => {
  fake.answers = {
    'POST /v1/usage-corrections': { body: preview },
    'POST /v1/usage-corrections?dryRun=false': { status: 201, body: correction },
    'GET /v1/customers?externalId=ada&limit=1': page({ id: 'customer_1', externalId: 'ada' }),
    'GET /v1/usage-corrections?customer=customer_1&limit=50': page(correction),
  }
  const why = ['--reason', 'A faulty host']
  const amend = (...more: string[]) =>
    fake.run(['usage', 'amend', 'cluster', 'job-1', '60', '--time', '2026-01-11T10:00:00Z', ...why, ...more])
  const dry = await amend('--dry-run')
  expect(dry.stdout.trimEnd().split('\n')).toEqual([
    'Would take out 100 in 1 event and put in 60 in 1 event of seconds',
    '  compute  1.00 → 0.60 usd  invoice_1 is final: the difference comes with the next',
  ])
  expect((await amend()).code).toBe(2)
  expect(fake.asked.some(({ request }) => request.endsWith('dryRun=false'))).toBe(false)
  expect((await amend('--yes')).stdout).toContain('✓ corrected  usage_correction_1')

  const file = join(fake.folder, 'events.ndjson')
  writeFileSync(file, '{"id":"job-2"}\n\n{"id":"job-3"}\n')
  const stretch = ['--start', '2026-01-11', '--end', '2026-01-12']
  await fake.run(['usage', 'backfill', 'ada', 'seconds', file, ...stretch, ...why, '--yes'])
  expect(fake.asked.at(-1)?.body).toEqual({
    ...{ kind: 'backfill', customer: 'customer_1', meter: 'seconds', reason: 'A faulty host' },
    ...{ start: '2026-01-11T00:00:00Z', end: '2026-01-12T00:00:00Z' },
    events: [{ id: 'job-2' }, { id: 'job-3' }],
  })
  writeFileSync(file, '{"id":"job-2"}\nnothing\n')
  const broken = await fake.run(['usage', 'backfill', 'ada', 'seconds', file, ...stretch, ...why])
  expect([broken.code, broken.stderr.includes('events.ndjson:2 is not JSON')]).toEqual([2, true])

  const list = await fake.run(['usage', 'corrections', 'ada'])
  expect(list.stdout).toMatch(/2026-02-11 +amend +seconds +job-1 +100 +60 +A faulty host +api_key_1/)
})
