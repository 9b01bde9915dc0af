import { parseUsageEvent } from '@lockstep/core/usage-event'
import { expect, test } from 'vitest'
import { arrivalOf } from './arrival.ts'
import { dataTextOf, hexOf } from './identity.ts'

const event = {
  specversion: '1.0',
  source: '/web/1',
  id: 'r-1',
  type: 'compute_seconds',
  subject: 'user-42',
  time: '2026-01-31T09:30:00.25Z',
  data: { quantity: '0.1', region: 'eu', note: 'a "b" ö\n' },
}

const arrival = (value: object) => {
  const { event } = parseUsageEvent(value, '#')
  if (!event) throw new Error('The event is not valid.')
  return arrivalOf(event, { id: 'customer_1', stripe: 0, testClockId: null }, event.type)
}

// Kept for ever, so how they are made never changes. The digests were taken with `sha256sum`, of
//   6:/web/13:r-1
//   15:compute_seconds7:user-421769851800.25 0.1 {"note":"a \"b\" ö\n","region":"eu"}
test('an event has the hashes that it had in every version before', () => {
  const { identity, bodyHash } = arrival(event)
  expect(hexOf(identity)).toBe('914cbd0555aef272b01ff606926bd375')
  expect(hexOf(bodyHash)).toBe('8c844b086baca8404d53a8c6a7062b27')
})

test('the spelling of a body does not count', () => {
  const { bodyHash } = arrival(event)
  const { quantity, region, note } = event.data
  const others = [
    { ...event, time: '2026-01-31T10:30:00.250+01:00' },
    { ...event, data: { region, note, quantity: '0.10' } },
    { ...event, data: { note, region, quantity: '0.100000000' } },
    { ...event, traceparent: '00-1' },
  ]
  expect(others.map((other) => arrival(other).bodyHash)).toEqual(others.map(() => bodyHash))
  expect(arrival({ ...event, data: { quantity, region } }).bodyHash).not.toBe(bodyHash)
  const zero = arrival({ ...event, data: { quantity: '0' } })
  expect(['-0', '0.0', 0].map((quantity) => arrival({ ...event, data: { quantity } }).bodyHash)).toEqual(
    [1, 2, 3].map(() => zero.bodyHash),
  )
})

// As RFC 8785 sorts and writes; an object of JavaScript would put numbers first and lose the prototype.
test('names of the data are sorted by their characters, whatever they are', () => {
  const text = '{"b":"\\u0001","quantity":"1","10":null,"9":true,"__proto__":"x","toJSON":"y","ö":1e400}'
  expect(dataTextOf(JSON.parse(text))).toBe(
    '{"10":null,"9":true,"__proto__":"x","b":"\\u0001","toJSON":"y","ö":null}',
  )
  const many = Array.from({ length: 40 }, (_, i) => `n${String((i * 7) % 40).padStart(2, '0')}`)
  expect(dataTextOf(Object.fromEntries(many.map((name) => [name, 1])))).toBe(
    `{${[...many]
      .sort()
      .map((name) => `"${name}":1`)
      .join(',')}}`,
  )
})
