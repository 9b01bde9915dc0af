import { expect, test } from 'vitest'
import { parseInstant } from './instant.ts'
import type { UsageEvent } from './usage-event.ts'
import { plainNames } from './usage-plain.ts'
import { acceptTime, checkMeter, defaultTimeRules } from './usage-rules.ts'

const event = { type: 'compute_seconds', data: {} } as UsageEvent
const place = { pointer: '#/2' }

test('a meter has to exist, and all but counts need a quantity', () => {
  const meter = { key: 'compute_seconds', name: 'Compute', unitLabel: 'second' }
  expect(checkMeter(event, undefined, place)).toEqual({
    pointer: '#/2/type',
    code: 'meter_unknown',
    detail: 'There is no meter "compute_seconds".',
  })
  expect(checkMeter(event, { ...meter, aggregation: 'count' }, place)).toBeUndefined()
  expect(checkMeter(event, { ...meter, aggregation: 'max' }, place)).toMatchObject({
    pointer: '#/2/data/quantity',
    code: 'required',
  })
  expect(
    checkMeter({ ...event, data: { quantity: '1' } }, { ...meter, aggregation: 'sum' }, place),
  ).toBeUndefined()
  const plain = { ...place, names: plainNames }
  expect(checkMeter(event, undefined, plain)?.pointer).toBe('#/2/meter')
  expect(checkMeter(event, { ...meter, aggregation: 'max' }, plain)?.pointer).toBe('#/2/quantity')
})

test('only a level goes down: elsewhere a quantity is not negative', () => {
  const meter = { key: 'compute_seconds', name: 'Compute', unitLabel: 'second' }
  const down = (quantity: unknown) =>
    ({ ...event, quantity: -1_000_000_000n, data: { quantity } }) as UsageEvent
  for (const aggregation of ['count', 'sum', 'max', 'last', 'unique'] as const) {
    expect(checkMeter(down('-1'), { ...meter, aggregation }, place)).toEqual({
      pointer: '#/2/data/quantity',
      code: 'quantity_invalid',
      detail: 'A quantity is not negative: "-1".',
    })
  }
  expect(checkMeter(down(-1), { ...meter, aggregation: 'sum' }, place)?.detail).toBe(
    'A quantity is not negative: -1.',
  )
  expect(checkMeter(down('-1'), { ...meter, aggregation: 'timeWeightedSum' }, place)).toBeUndefined()
})

test('a meter that counts different values needs one, and no quantity', () => {
  const meter = {
    key: 'users',
    name: 'Users',
    unitLabel: 'user',
    aggregation: 'unique',
    property: 'user',
  } as const
  const of = (data: object) => checkMeter({ ...event, quantity: 0n, data } as UsageEvent, meter, place)
  for (const user of ['ada', '', 7, 0, false]) expect(of({ user })).toBeUndefined()
  for (const data of [{}, { user: null }, { quantity: '1' }]) {
    expect(of(data)).toEqual({
      pointer: '#/2/data/user',
      code: 'required',
      detail: 'The meter users counts the different values of user.',
    })
  }
})

const now = parseInstant('2026-02-01T00:00:00Z') ?? 0
const DAY = 86_400

test('five minutes ahead are a clock that differs, one second more is the future', () => {
  expect(acceptTime({ time: now + 300, now }, defaultTimeRules)).toBeUndefined()
  expect(acceptTime({ time: now - 4000 * DAY, now }, defaultTimeRules)).toBeUndefined()
  expect(acceptTime({ time: now + 301, now }, defaultTimeRules, { pointer: '#/0' })).toEqual({
    pointer: '#/0/time',
    code: 'usage_time_in_future',
    detail: "The event's time is 2026-02-01T00:05:01Z, for its customer it is 2026-02-01T00:00:00Z.",
  })
  expect(acceptTime({ time: now + 301, now }, defaultTimeRules)?.pointer).toBe('#/time')
})

test('an installation may take less, or more', () => {
  const strict = { aheadSeconds: 0, lateDays: 31 }
  expect(acceptTime({ time: now, now }, strict)).toBeUndefined()
  expect(acceptTime({ time: now + 1, now }, strict)?.code).toBe('usage_time_in_future')
  expect(acceptTime({ time: now - 31 * DAY, now }, strict)).toBeUndefined()
  expect(acceptTime({ time: now - 31 * DAY - 1, now }, strict)).toEqual({
    pointer: '#/time',
    code: 'usage_time_too_late',
    detail:
      "The event's time is 2025-12-31T23:59:59Z, for its customer it is 2026-02-01T00:00:00Z. The limit is 31 days.",
  })
  expect(acceptTime({ time: now + DAY, now }, { aheadSeconds: DAY, lateDays: null })).toBeUndefined()
})
