import { expect, test } from 'vitest'
import { newWebhookSecret, rotated, sealSecret, secretsAt } from './secrets.ts'

const [former, newer] = ['a former secret, long enough to seal', 'a newer secret, long enough to seal']
const of = 'webhook_endpoint_1'

test('one that was replaced because nothing opens it signs no more, and does not keep its successor from it', () => {
  const [lost, secret] = [newWebhookSecret(), newWebhookSecret()]
  const before = [{ sealed: sealSecret(lost, [former], of), until: null }]
  expect(secretsAt(before, [newer, former], of, 0)).toEqual([lost])
  expect(() => secretsAt(before, [newer], of, 0)).toThrow()

  const after = rotated(before, sealSecret(secret, [newer], of), 0, 3600)
  expect(secretsAt(after, [newer, former], of, 10)).toEqual([secret, lost])
  expect(secretsAt(after, [newer], of, 10)).toEqual([secret])
})
