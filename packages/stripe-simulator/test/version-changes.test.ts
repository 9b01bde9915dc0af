import { expect, test } from 'vitest'
import { routes } from '../src/registry.ts'
import type { VersionChange } from '../src/versions/change.ts'
import { changes } from '../src/versions/changes.ts'
import { dialectOf, formerRoutes } from '../src/versions/dialect.ts'
import { newest, versions } from '../src/versions/versions.ts'
import type { World } from '../src/world.ts'

const table: readonly VersionChange[] = changes
const operations = new Set([...routes, ...formerRoutes].map(({ method, path }) => `${method} ${path}`))

test('versions and changes are listed newest first', () => {
  const sorted = (names: readonly string[]) => names.toSorted().toReversed()
  expect(versions).toEqual(sorted(versions))
  const dates = table.map(({ since }) => since)
  expect(dates).toEqual(sorted(dates))
})

test('every change tells what it is and where Stripe says so', () => {
  for (const { what, source } of table) {
    expect(what).toMatch(/\.$/)
    expect(source).toMatch(/^https:\/\/(docs\.stripe\.com\/changelog|github\.com\/stripe\/)/)
  }
})

test('a change names operations that exist', () => {
  for (const { what, accept = {}, parameters = {}, operations: added = [], former = [] } of table) {
    const becomes = former.flatMap((old) => old.becomes ?? [])
    for (const name of [...Object.keys(accept), ...Object.keys(parameters), ...added, ...becomes]) {
      expect(operations, what).toContain(name)
    }
  }
})

test('the newest version is answered as it is rendered, the very object', () => {
  const answer = { object: 'list', data: [{ object: 'invoice', id: 'in_1' }] }
  expect(dialectOf(newest).show({} as World, answer)).toBe(answer)
})

test('the caller’s metadata is left alone, whatever it looks like', () => {
  const metadata = { object: 'invoice', parent: 'p', total_taxes: 't' }
  const customer = { object: 'customer', id: 'cus_1', currency: 'usd', metadata }
  expect(dialectOf('2020-08-27').show({} as World, customer)).toEqual({
    ...customer,
    default_currency: 'usd',
  })
})
