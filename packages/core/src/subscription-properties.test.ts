import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { forbiddenProperties, propertyNames, subscriptionProperties } from './subscription-properties.ts'

test('the documentation says of each property who may change it', async () => {
  const docs = await readFile(new URL('../../../docs/subscriptions.md', import.meta.url), 'utf8')
  const rows = propertyNames.map((name) => {
    const { changedBy, how } = subscriptionProperties[name]
    return `| \`${name}\` | ${changedBy} | ${how} |`
  })
  expect(docs).toContain(rows.join('\n'))
})

test('all that is not the caller’s to change is named, and nothing else', () => {
  const request = { plan: 'x', when: 'now', status: 'active', endedAt: null, quantity: undefined }
  const pointers = (isAdmin: boolean) =>
    forbiddenProperties(request, { isAdmin }).map(({ pointer }) => pointer)
  expect(pointers(false)).toEqual(['#/when', '#/status', '#/endedAt'])
  expect(pointers(true)).toEqual(['#/status', '#/endedAt'])
})
