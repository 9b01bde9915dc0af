import { createClient } from '@lockstep/sdk'
import { expect, test } from 'vitest'
import { findSubscription } from './find-subscription.ts'

const page = (...data: unknown[]) => Response.json({ data, hasMore: false, nextCursor: null })

/** A client of a service in which Ada has subscriptions with just this access. */
const clientOf = (...access: string[]) =>
  createClient({
    baseUrl: 'http://service.example',
    fetch: async (...call) =>
      new Request(...call).url.includes('/v1/customers')
        ? page({ id: 'customer_1', externalId: 'ada' })
        : page(...access.map((one, i) => ({ id: `subscription_${i}`, plan: `plan_${i}`, access: one }))),
  })

test('a customer stands for the one subscription that is not over', async () => {
  expect(await findSubscription(clientOf(), 'subscription_7')).toEqual({ id: 'subscription_7' })
  expect(await findSubscription(clientOf('ended', 'inactive'), 'ada')).toMatchObject({ id: 'subscription_1' })
})

test('who has several is asked which one, and who has none is told', async () => {
  await expect(findSubscription(clientOf('full', 'grace'), 'ada')).rejects.toMatchObject({
    message: 'ada has several subscriptions.',
    remedy: 'Name one of them: subscription_0 (plan_0), subscription_1 (plan_1).',
  })
  await expect(findSubscription(clientOf('ended'), 'ada')).rejects.toThrow('ada has no subscription.')
  await expect(findSubscription(clientOf(), 'ada', { orOver: true })).rejects.toThrow(
    'ada has no subscription.',
  )
})

test('to be read, the newest of those that are over will do', async () => {
  const reading = { orOver: true }
  expect(await findSubscription(clientOf('ended', 'ended'), 'ada', reading)).toMatchObject({
    id: 'subscription_0',
  })
  expect(await findSubscription(clientOf('ended', 'full'), 'ada', reading)).toMatchObject({
    id: 'subscription_1',
  })
})
