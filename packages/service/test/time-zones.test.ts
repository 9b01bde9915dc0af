import { type BillingCycle, periodAt, periodContaining } from '@lockstep/core/billing-cycle'
import { agreeDiscount } from '@lockstep/core/discount'
import { formatInstant, parseInstant } from '@lockstep/core/instant'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { printedInstant } from '../src/document/printed.ts'

// A zone is for whoever looks: no period, no deadline and no document depends on the one that a process runs in.

const zoneBefore = process.env.TZ
const database = await newDatabase()
afterAll(async () => {
  process.env.TZ = zoneBefore
  await database.drop()
})

const anchors = [
  '2024-02-29T23:59:59Z',
  '2026-01-31T00:00:00Z',
  '2026-03-29T01:30:00Z',
  '2026-10-25T00:30:00Z',
]
const at = (text: string) => parseInstant(text) ?? Number.NaN

/** Three years of months from each anchor, what contains their boundaries, and how all that is written. */
function told(): string {
  return anchors
    .flatMap((text) => {
      const cycle: BillingCycle = { anchor: at(text), interval: 'month', intervalCount: 1 }
      const terms = { name: 'Half', coupon: 'half', off: { kind: 'percent', percent: '50' } } as const
      const discount = agreeDiscount({ ...terms, duration: { kind: 'repeating', months: 3 } }, cycle.anchor)
      const periods = Array.from({ length: 36 }, (_, index) => periodAt(cycle, index))
      const found = periods.map(({ start }) => periodContaining(cycle, start).end)
      return [
        discount.end ?? '',
        ...periods.map(({ start }) => printedInstant(formatInstant(start))),
        ...found.map(formatInstant),
      ]
    })
    .join('\n')
}

test('in every zone that there is, periods are what they are in UTC', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  expect(zones.length).toBeGreaterThan(400)
  process.env.TZ = 'UTC'
  const expected = told()
  // The zone is really another one meanwhile.
  const offsets = new Set<number>()
  for (const zone of zones) {
    process.env.TZ = zone
    offsets.add(new Date(at('2026-01-31T00:00:00Z') * 1000).getTimezoneOffset())
    if (told() !== expected) expect.soft(zone).toBe('like UTC')
  }
  expect(offsets.size).toBeGreaterThan(30)
})

test('and so are the hours and days of the database', async () => {
  process.env.TZ = 'Pacific/Kiritimati'
  const { rows } = await database.pool.query<{ zone: string; day: string }>(
    `select current_setting('timezone') as zone,
            to_char(date_trunc('day', timestamptz '2026-01-31T23:30:00Z'), 'YYYY-MM-DD') as day`,
  )
  expect(rows).toEqual([{ zone: 'UTC', day: '2026-01-31' }])
})
