import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SOURCE = join(import.meta.dirname, '../src')

/** Words that go on with the statement: what stands before one of them was given no name. */
const GOES_ON =
  /^(where|on|using|group|order|having|limit|offset|union|except|intersect|cross|left|right|full|inner|join|for|returning|set)\b/i

/** Where the brackets that open at `start` close. */
function closing(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  return text.length
}

function namelessIn(text: string): string[] {
  return [...text.matchAll(/\b(?:from|join|lateral)\s*\(\s*(?:select|values|with)\b/gi)]
    .filter((match) => {
      const behind = text.slice(closing(text, text.indexOf('(', match.index)) + 1).trimStart()
      return !/^[a-z_$"]/i.test(behind) || GOES_ON.test(behind)
    })
    .map((match) => text.slice(match.index, match.index + 60))
}

test('a subquery that is read from has a name: Postgres 15 refuses one without', () => {
  // "Allow subqueries in the FROM clause to omit aliases": https://www.postgresql.org/docs/release/16.0/
  expect(namelessIn('select a from (select 1 as a) where a > 0')).toHaveLength(1)
  expect(namelessIn('select a from (select max(b) as a from c) as d where a > 0')).toEqual([])

  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const nameless = files.flatMap((file) =>
    namelessIn(readFileSync(join(SOURCE, file), 'utf8')).map((text) => `${file}: ${text}`),
  )
  expect(nameless).toEqual([])
})
