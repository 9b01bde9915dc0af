import { afterAll, beforeAll, expect, test } from 'vitest'
import { newWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())

const fee = (amount: string) => ({ fee: { kind: 'recurring' as const, model: 'flat' as const, amount } })

async function simulator(path: string, body: object): Promise<void> {
  const response = await fetch(`${world.simulatorUrl}/_simulator${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(200)
}

test('Ada signs up, lets her trial pass, buys a ticket, and becomes a member with her bank’s consent', async () => {
  const { client } = world
  await client.catalog.apply({
    currency: 'usd',
    products: { app: { name: 'The app' }, evening: { name: 'An evening' } },
    coupons: { friend: { name: 'A friend’s', percentOff: '50', duration: 'once' } },
    plans: {
      pending: {
        name: 'Pending',
        audience: 'admin',
        product: 'app',
        interval: 'month',
        trialDays: 31,
        prices: fee('0'),
      },
      starter: { name: 'Starter', product: 'app', interval: 'month', prices: fee('0') },
      member: { name: 'Member', product: 'app', interval: 'month', prices: fee('9.00') },
      reading: {
        name: 'A reading',
        product: 'evening',
        interval: 'month',
        purchase: 'event_ticket',
        prices: fee('12.50'),
      },
    },
    signUp: { plan: 'pending', afterTrial: { moveTo: 'starter' } },
  })
  const clock = await client.testClocks.create({ frozenTime: '2026-01-31T09:30:00Z', name: 'ada' })

  // The moment she has an account she has a subscription, and its trial ticks.
  const signedUp = await client.registrations.create({
    externalId: 'ada',
    testClock: clock.id,
    requestOrigin: 'web',
  })
  expect(signedUp).toMatchObject({ plan: 'pending', state: 'completed' })

  // She does not choose. When the trial is over she goes on for free, once.
  await client.testClocks.advance(clock.id, '2026-03-10T00:00:00Z')
  await client.testClocks.ready(clock.id)
  const plans = async () => {
    const found: string[] = []
    for await (const { plan, status } of client.subscriptions.list({ customer: signedUp.customer }))
      found.push(`${plan} ${status}`)
    return found
  }
  expect(await plans()).toEqual(['starter active', 'pending canceled'])

  // A ticket for an evening, beside it: paid once, and it leaves nothing running.
  const ticket = await client.registrations.create({
    externalId: 'ada',
    plan: 'reading',
    paymentMethod: 'pm_card_visa',
  })
  expect(ticket).toMatchObject({ purchase: 'event_ticket', subscription: null, state: 'completed' })

  // A membership of her team. Her bank wants to hear from her: nothing is paid until it has.
  const member = await client.registrations.create({
    externalId: 'ada',
    plan: 'member',
    slot: 'team',
    coupons: ['friend'],
    paymentMethod: 'pm_card_authenticationRequired',
  })
  expect(member).toMatchObject({ state: 'requiresAction', action: { type: 'confirmPayment' } })
  const { data: intents } = await world.stripe.paymentIntents.list({ limit: 100 })
  const asking = intents.find(({ status }) => status === 'requires_action')?.id
  await simulator(`/intents/${asking}/authenticate`, { outcome: 'succeed' })

  // Stripe tells us; nobody has to come back to the application for it.
  await expect.poll(async () => (await client.registrations.read(member.id)).state).toBe('completed')
  expect(await plans()).toEqual(['member active', 'starter active', 'pending canceled'])

  // What she paid: the ticket, and half of the first month.
  const { data: invoices } = await world.stripe.invoices.list({ limit: 100 })
  const paid = invoices.map(({ amount_paid: amount }) => amount).filter((amount) => amount > 0)
  expect(paid.toSorted((a, b) => a - b)).toEqual([450, 1250])

  // And it can be told afterwards, task by task.
  const { steps } = await client.registrations.read(member.id)
  expect(steps.map(({ name, state }) => `${name}: ${state}`)).toEqual(
    expect.arrayContaining(['record user: done', 'start subscription: done', 'confirm payment: done']),
  )
})
