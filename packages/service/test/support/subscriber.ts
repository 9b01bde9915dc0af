import { expect } from 'vitest'
import type { Installation } from './installation.ts'

export type Body = Record<string, unknown>

interface SubscriberOptions {
  readonly at?: string
  /** Empty for none. */
  readonly card?: string
  readonly quantity?: number
  readonly coupons?: readonly string[]
  readonly addons?: readonly object[]
}

let count = 0

/** A customer on a test clock of its own with a subscription, and what can be asked about it. */
export async function newSubscriber(
  { ask, deps }: Installation,
  plan: string,
  {
    at = '2026-01-01T00:00:00Z',
    card = 'pm_card_visa',
    quantity = 1,
    coupons = [],
    addons = [],
  }: SubscriberOptions = {},
) {
  count += 1
  const clock = await ask('POST', '/v1/test-clocks', { frozenTime: at })
  const { status, body } = await ask('POST', '/v1/registrations', {
    externalId: `user_${count}`,
    plan,
    quantity,
    testClock: clock.body.id,
    ...(coupons.length > 0 && { coupons }),
    ...(addons.length > 0 && { addons }),
    ...(card !== '' && { paymentMethod: card }),
  })
  expect([status, body.state, body.problem]).toEqual([201, 'completed', null])
  const path = `/v1/subscriptions/${body.subscription}`
  const clockPath = `/v1/test-clocks/${clock.body.id}`
  const read = async () => (await ask('GET', path)).body
  const listed = async (url: string) => (await ask('GET', url)).body.data as Body[]
  return {
    customer: body.customer as string,
    id: body.subscription as string,
    path,
    read,
    preview: (wish: object) => ask('POST', `${path}/preview`, wish),
    change: (wish: object, key?: string) => ask('PATCH', path, wish, key),
    changes: () => listed(`${path}/changes`),
    contracts: () => listed(`/v1/contracts?subscription=${body.subscription}`),
    async turn(to: string) {
      await ask('POST', `${clockPath}/advance`, { frozenTime: to })
      const ready = async () => (await ask('GET', clockPath)).body.status
      await expect.poll(ready, { timeout: 120_000 }).toBe('ready')
    },
    /** Stripe's invoices of the subscription, oldest first, and what became of them. */
    async invoices() {
      const { providerId } = await read()
      const { stripe } = deps.provider
      const { data } = await stripe.invoices.list({ subscription: String(providerId), limit: 100 })
      return data.reverse().map(({ billing_reason: why, total, status: is }) => `${why} ${total} ${is}`)
    },
    /** Of Stripe's customer. */
    async atStripe() {
      const { stripe } = deps.provider
      const known = await ask('GET', `/v1/customers/${body.customer}`)
      const id = String(known.body.providerId)
      const { data: sessions } = await stripe.checkout.sessions.list({ customer: id })
      const { data: intents } = await stripe.paymentIntents.list({ customer: id })
      const { data: subscriptions } = await stripe.subscriptions.list({ customer: id, status: 'all' })
      return { sessions, intents, subscriptions, customer: await stripe.customers.retrieve(id) }
    },
  }
}
