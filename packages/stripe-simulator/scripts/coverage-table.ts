import { type ClientOperation, keyOf } from '../src/http/gaps.ts'
import type { ServedRoute } from '../src/http/route.ts'

type Tiers = Record<'A' | 'B' | 'C', string[]>

/** The coverage section of the README: each resource of the client, its verbs by their tier. */
export function coverageTable(
  operations: readonly ClientOperation[],
  routes: readonly ServedRoute[],
): string {
  const tierOf = new Map(routes.map((route) => [keyOf(route), route.tier]))
  const resources = new Map<string, Tiers>()
  for (const operation of operations) {
    const dot = operation.name.lastIndexOf('.')
    const resource = operation.name.slice(0, dot)
    const tier = tierOf.get(keyOf(operation)) ?? 'C'
    const tiers = resources.get(resource) ?? { A: [], B: [], C: [] }
    tiers[tier].push(operation.name.slice(dot + 1))
    resources.set(resource, tiers)
  }
  const isServed = ([, { A, B }]: [string, Tiers]) => A.length + B.length > 0
  const served = [...resources].filter(isServed)
  const missing = [...resources].filter((entry) => !isServed(entry))
  return [
    '| Resource | A | B | C |',
    '| --- | --- | --- | --- |',
    ...served.map(
      ([name, { A, B, C }]) => `| \`${name}\` | ${A.join(', ')} | ${B.join(', ')} | ${C.join(', ')} |`,
    ),
    '',
    'Wholly in tier C:',
    '',
    '| Resource | Verbs |',
    '| --- | --- |',
    ...missing.map(([name, { C }]) => `| \`${name}\` | ${C.join(', ')} |`),
  ].join('\n')
}

const BEGIN = '<!-- coverage: written by `npm run coverage` -->'
const END = '<!-- end of coverage -->'

/** The README with the table in its place. */
export function withCoverage(readme: string, table: string): string {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin < 0 || end < begin) throw new Error('README.md has no place for the coverage table')
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${readme.slice(end)}`
}
