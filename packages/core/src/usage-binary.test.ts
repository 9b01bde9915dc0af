import { expect, test } from 'vitest'
import { isBinaryUsage, parseBinaryUsage } from './usage-binary.ts'
import { parseUsageEvent } from './usage-event.ts'

const headers = {
  'content-type': 'application/json; charset=utf-8',
  'ce-specversion': '1.0',
  'ce-id': 'job-1',
  'ce-source': '/mycontext/subcontext',
  'ce-type': 'compute_seconds',
  'ce-subject': 'user_4711',
  'ce-time': '2026-01-31T09:30:00Z',
}
const data = { quantity: '12.5', region: 'eu' }

const faultsOf = (more: Record<string, string | undefined>, body: unknown = data) =>
  parseBinaryUsage({ ...headers, ...more }, body).faults.map(({ pointer, code }) => `${pointer} ${code}`)

test('attributes are headers, the body is the data', () => {
  expect(parseBinaryUsage(headers, data)).toEqual(
    parseUsageEvent(
      {
        specversion: '1.0',
        id: 'job-1',
        source: '/mycontext/subcontext',
        type: 'compute_seconds',
        subject: 'user_4711',
        time: '2026-01-31T09:30:00Z',
        data,
      },
      '#',
    ),
  )
  const { 'content-type': _, ...bare } = headers
  expect(parseBinaryUsage(bare, undefined)).toMatchObject({ faults: [], event: { data: {} } })
})

test('a request is in binary mode by its headers, unless its media type is of CloudEvents', () => {
  expect(isBinaryUsage(headers)).toBe(true)
  expect(isBinaryUsage({ 'ce-id': '1' })).toBe(true)
  expect(isBinaryUsage({ ...headers, 'content-type': 'application/cloudevents+json' })).toBe(false)
  expect(isBinaryUsage({ ...headers, 'content-type': 'Application/CloudEvents-batch+json' })).toBe(false)
  expect(isBinaryUsage({ 'content-type': 'application/json', 'ce-region': 'eu' })).toBe(false)
})

// Expected values from section 3.1.3.2 of the HTTP binding 1.0.2: its own example, its own refusal.
test.each([
  ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
  ['Euro%20%e2%82%ac', 'Euro €'],
  ['%75ser', 'user'],
  ['100%25', '100%'],
  ['%2525', '%25'],
  ['"a \\"quoted\\" \\\\ name"', 'a "quoted" \\ name'],
  ['"with%20both"', 'with both'],
  ['a"b', 'a"b'],
])('the header %s is %s', (text, meant) => {
  expect(parseBinaryUsage({ ...headers, 'ce-subject': text }, data).event?.subject).toBe(meant)
})

test.each(['%C0%A0', '%E2%82', '%', '100%', '%zz', 'Euro €', 'Ã¤'])('the header %s is refused', (text) => {
  expect(faultsOf({ 'ce-subject': text })).toEqual(['ce-subject invalid'])
})

test('a fault is told by its header, or by its place in the body', () => {
  expect(
    faultsOf({ 'ce-specversion': '0.3', 'ce-id': undefined, 'ce-time': 'now' }, { quantity: 0.5 }),
  ).toEqual(['ce-specversion invalid', 'ce-id required', 'ce-time invalid', '#/quantity quantity_invalid'])
  expect(faultsOf({}, [data])).toEqual(['# invalid'])
  expect(faultsOf({}, { a: {} })).toEqual(['# invalid'])
  expect(faultsOf({ 'ce-datacontenttype': 'application/json', 'ce-data': '{}' })).toEqual([
    'ce-datacontenttype unknown_attribute',
    'ce-data unknown_attribute',
  ])
  expect(faultsOf({ 'ce-traceparent': '00-1', 'ce-my-extension': 'x' })).toEqual([
    'ce-my-extension unknown_attribute',
  ])
  expect(faultsOf({ 'ce-id': '%00' })).toEqual(['ce-id invalid'])
})
