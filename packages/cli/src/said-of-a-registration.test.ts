import { afterAll, expect, test } from 'vitest'
import { newFakeService, page } from '../test/support/fake-service.ts'

const fake = await newFakeService()
afterAll(() => {
  fake.close()
})

const register = (...said: string[]) =>
  fake.run(['registrations', 'create', 'ada', '--plan', 'team', ...said])
const registered = { externalId: 'ada', plan: 'team', requestOrigin: 'cli' }

test('what the customer saw is said for a second look', async () => {
  await register('--agreed-amount', '24.00', '--agreed-interval', 'month')
  expect(fake.asked.at(-1)?.body).toEqual({ ...registered, agreed: { amount: '24.00', interval: 'month' } })
  await register('--agreed-interval-count', '3', '--agreed-product', 'team')
  expect(fake.asked.at(-1)?.body).toEqual({ ...registered, agreed: { intervalCount: 3, product: 'team' } })
})

test('a page has a way back for who does not want to, and nothing else has', async () => {
  const way = ['--cancel-url', 'https://app.example/no']
  await register('--payment-page', 'https://app.example/yes', ...way)
  const paymentPage = { returnUrl: 'https://app.example/yes', cancelUrl: 'https://app.example/no' }
  expect(fake.asked.at(-1)?.body).toEqual({ ...registered, paymentPage })
  const { code, stderr } = await register(...way)
  expect([code, stderr]).toEqual([2, expect.stringContaining('Give --payment-page too.')])

  const found = page({ id: 'subscription_1', customer: 'customer_1', status: 'active' })
  fake.answers = { 'GET /v1/customers?externalId=ada&limit=1': page({ id: 'customer_1', externalId: 'ada' }) }
  fake.answers['GET /v1/subscriptions?customer=customer_1&limit=100'] = found
  const change = ['subscriptions', 'change', 'subscription_1', '--plan', 'pro', '--yes']
  await fake.run([...change, '--payment-page', 'https://app.example/yes', ...way])
  expect(fake.asked.at(-1)?.body).toEqual({ plan: 'pro', requestOrigin: 'cli', paymentPage })
})

test('a profile is published with where the customer is; an address without a country would be let pass unseen', async () => {
  fake.answers = { 'POST /v1/bus-messages': { status: 202, body: null } }
  const publish = (...said: string[]) => fake.run(['bus', 'publish', 'ada', '--id', '1', ...said])
  await publish('--name', 'Ada', '--country', 'DE', '--city', 'Berlin', '--line1', 'Invalidenstraße 43')
  const address = { country: 'DE', city: 'Berlin', line1: 'Invalidenstraße 43' }
  expect(fake.asked.at(-1)?.body).toMatchObject({
    ...{ id: '1', source: 'lockstep-cli' },
    data: { externalId: 'ada', name: 'Ada', address },
  })
  const before = fake.asked.length
  const { code, stderr } = await publish('--city', 'Berlin')
  expect([code, stderr]).toEqual([2, expect.stringContaining('Give --country too.')])
  expect(fake.asked).toHaveLength(before)
})

const registration = {
  ...{ id: 'registration_1', externalId: 'ada', plan: 'team', planVersion: 1, customer: 'customer_1' },
  ...{ subscription: 'subscription_1', purchase: 'membership', requestOrigin: 'cli', cause: null, tax: null },
  ...{ stage: 'start subscription', steps: [], action: null, remains: ['user'], nextAttemptAt: null },
  problem: { code: 'provider_unknown_outcome', title: 'Not yet known.', detail: 'It is being looked up.' },
}

test('who waits while the provider is away is told for what, and until when', async () => {
  const away = { ...registration, state: 'failed', nextAttemptAt: '2026-02-28T09:30:16Z' }
  const asked = 'GET /v1/registrations/registration_1'
  fake.answers = { 'POST /v1/registrations/registration_1/resume': { status: 202, body: away } }
  fake.answers[asked] = { body: away }
  const waiting = fake.run(['registrations', 'resume', 'registration_1'])
  await expect.poll(() => fake.asked.filter(({ request }) => request === asked).length).toBeGreaterThan(2)
  fake.answers[asked] = { body: { ...registration, state: 'completed', problem: null } }
  const { stderr, code } = await waiting
  expect(stderr).toBe(
    'start subscription: Not yet known. It is being looked up. Tried again at 2026-02-28 09:30:16, whether somebody waits here or not.\n',
  )
  expect(code).toBe(0)
})

test('a cancel that could not be done ends with 1', async () => {
  const cancel = ['registrations', 'cancel', 'registration_1']
  fake.answers = { 'POST /v1/registrations/registration_1/cancel': { body: registration } }
  for (const [state, code] of [
    ['parked', 1],
    ['rolledBack', 0],
  ] as const) {
    fake.answers['GET /v1/registrations/registration_1'] = { body: { ...registration, state } }
    expect((await fake.run(cancel)).code).toBe(code)
  }
})
