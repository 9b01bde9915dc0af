import { expect, test } from 'vitest'
import { child } from './pointer.ts'

test('tokens are escaped as RFC 6901 asks, in a pointer and in a fragment', () => {
  expect(child('#', 'plans', 'cloud-host', 'prices')).toBe('#/plans/cloud-host/prices')
  expect(child('#', 0, 'time')).toBe('#/0/time')
  expect(child('#', 'a/b', 'm~n', 'c%d', ' ', '')).toBe('#/a~1b/m~0n/c%25d/%20/')
  expect(child('#', '\ud800')).toBe('#/%EF%BF%BD')
})
