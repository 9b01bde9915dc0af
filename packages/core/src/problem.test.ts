import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Problem, problems } from './problem.ts'

const pages = new URL('../../../docs/problems/', import.meta.url)

test('every code has its page, and every page its code', () => {
  const names = readdirSync(pages).filter((name) => name.endsWith('.md') && name !== 'README.md')
  expect(names.map((name) => name.replace('.md', '')).sort()).toEqual(Object.keys(problems).sort())
})

test.each(Object.entries(problems))(
  'the page of %s says its status, title, cause and remedy',
  (code, { status, title }) => {
    const page = readFileSync(new URL(`${code}.md`, pages), 'utf8')
    expect(page).toContain(`# ${code}\n\n${status} · ${title}\n`)
    expect(page).toMatch(/\*\*Cause\.\*\* \w/)
    expect(page).toMatch(/\*\*What to do\.\*\* \S/)
    const example = JSON.parse(page.split('```json')[1]?.split('```')[0] ?? '')
    expect(example).toMatchObject({ status, title, code })
    expect(example.type).toMatch(new RegExp(`/problems/${code}$`))
  },
)

test('titles are sentences and differ from each other', () => {
  const titles = Object.values(problems).map(({ title }) => title)
  expect(new Set(titles).size).toBe(titles.length)
  for (const title of titles) expect(title).toMatch(/^[A-Z].*\.$/)
})

test('a problem carries what the caller is told, and why for us', () => {
  const cause = new Error('ECONNREFUSED')
  const faults = [{ pointer: '#/plan', code: 'plan_unknown', detail: 'There is no plan "teem".' }]
  const problem = new Problem('plan_unknown', 'There is no plan "teem".', {
    cause,
    faults,
    retryAfterSeconds: 2,
  })
  expect(problem).toBeInstanceOf(Error)
  expect(problem.name).toBe('Problem')
  expect(problem).toMatchObject({
    status: 422,
    title: problems.plan_unknown.title,
    faults,
    retryAfterSeconds: 2,
  })
  expect(problem.cause).toBe(cause)
  expect(new Problem('internal_error', 'Quote 1.')).toMatchObject({
    faults: [],
    retryAfterSeconds: undefined,
  })
})
