import { expect, test } from 'vitest'
import { parseUsageEvent } from './usage-event.ts'
import { isPlainUsage, parsePlainUsage } from './usage-plain.ts'

const plain = {
  id: 'job-1',
  meter: 'compute_seconds',
  externalId: 'user_4711',
  quantity: '12.5',
  time: '2026-01-31T09:30:00Z',
  data: { region: 'eu' },
}

const cloudEvent = {
  specversion: '1.0',
  id: 'job-1',
  source: 'default',
  type: 'compute_seconds',
  subject: 'user_4711',
  time: '2026-01-31T09:30:00Z',
  data: { region: 'eu', quantity: '12.5' },
}

const faultsOf = (value: unknown) =>
  parsePlainUsage(value, '#/3').faults.map(({ pointer, code, detail }) => `${pointer} ${code}: ${detail}`)

test('it is the event that a CloudEvent would be', () => {
  expect(parsePlainUsage(plain, '#')).toEqual(parseUsageEvent(cloudEvent, '#'))
  expect(parsePlainUsage({ ...plain, source: 'eu' }, '#')).toEqual(
    parseUsageEvent({ ...cloudEvent, source: 'eu' }, '#'),
  )
  const { data: _, quantity: __, ...bare } = plain
  expect(parsePlainUsage({ ...bare, quantity: 3 }, '#').event?.data).toEqual({ quantity: 3 })
  // A count needs none.
  expect(parsePlainUsage(bare, '#')).toMatchObject({ event: { quantity: 1_000_000_000n, data: {} } })
})

test('it is told by a name that no CloudEvent has, and a CloudEvent by its specversion', () => {
  expect(isPlainUsage(plain)).toBe(true)
  // A misspelled meter is told as one, and not as a CloudEvent without any attribute.
  const { meter, ...without } = plain
  expect(isPlainUsage({ ...without, mtr: meter })).toBe(true)
  expect(faultsOf({ ...without, mtr: meter })).toEqual([
    '#/3/meter required: An event needs its meter.',
    '#/3/mtr unknown_attribute: There is no such field; there are id, source, meter, externalId, quantity, time, data.',
  ])
  expect(isPlainUsage(cloudEvent)).toBe(false)
  // There `meter` is an extension attribute, as any other.
  expect(isPlainUsage({ ...cloudEvent, meter: 'x' })).toBe(false)
  for (const value of [undefined, null, 7, 'meter', ['meter'], {}]) expect(isPlainUsage(value)).toBe(false)
})

test('every fault is told in its own words, where it stands', () => {
  expect(
    faultsOf({ meter: '', externalId: 7, quantity: '1e3', time: 'now', at: 1, data: { quantity: 1 } }),
  ).toEqual([
    '#/3/id required: An event needs its id.',
    '#/3/meter invalid: The meter is empty.',
    '#/3/externalId invalid: The externalId is text.',
    '#/3/time invalid: A time is RFC 3339 with an offset, like 2026-01-31T09:30:00Z.',
    '#/3/quantity quantity_invalid: A quantity has no exponent: "1e3". Write all its digits.',
    '#/3/at unknown_attribute: There is no such field; there are id, source, meter, externalId, quantity, time, data.',
    '#/3/data/quantity invalid: The quantity stands beside the data, not in it.',
  ])
  expect(faultsOf(cloudEvent)).toEqual([
    '#/3 invalid: A request is written in one form, that of its first event; this is the other.',
  ])
  expect(faultsOf('text')).toEqual(['#/3 invalid: A usage event is a JSON object.'])
  expect(faultsOf({ ...plain, data: [] })).toEqual(['#/3/data invalid: The data is a JSON object.'])
  expect(faultsOf({ ...plain, data: { a: {} } })).toEqual([
    '#/3/data invalid: The data is one level deep; "a" is not.',
  ])
})
