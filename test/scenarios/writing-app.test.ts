import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import type { ChangePreview } from '@lockstep/sdk'
import type Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import writingApp from '../../examples/writing-app/catalog.ts'
import { atRest } from '../support/at-rest.ts'
import { newWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await newWorld()
})
afterAll(() => world.close())

async function simulator(path: string, body: object): Promise<void> {
  const response = await fetch(`${world.simulatorUrl}/_simulator${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(200)
}

// What Stripe tells comes when it comes; each of these states lasts.
const patience = { timeout: 60_000 }

const dayOf = (instant: string) => instant.slice(0, 10)
const shownLines = (invoice: ChangePreview['dueNow']) =>
  invoice?.lines.map(({ description, amount }) => `${description} ${amount.minor}`)
const billedLines = (invoice: Stripe.Invoice | undefined) =>
  invoice?.lines.data.map(({ description, amount }) => `${description} ${amount}`)

test('Ada writes for free, takes Premium without a card on file, is late once, and goes back to Starter', async () => {
  const { client, stripe } = world
  await client.catalog.apply(catalogDocumentOf(writingApp))
  const clock = await client.testClocks.create({ frozenTime: '2026-01-10T09:30:00Z', name: 'ada' })
  const turn = async (to: string) => {
    await client.testClocks.advance(clock.id, to)
    await client.testClocks.ready(clock.id)
    await atRest(world)
  }

  // Starter asks for no card.
  const signedUp = await client.registrations.create({
    externalId: 'ada',
    plan: 'starter',
    testClock: clock.id,
  })
  expect(signedUp).toMatchObject({ plan: 'starter', state: 'completed', action: null })
  const id = signedUp.subscription ?? ''
  const { providerId } = await client.customers.read(signedUp.customer)
  const customer = providerId ?? ''
  const invoices = async () => (await stripe.invoices.list({ customer, limit: 100 })).data.toReversed()
  const mayWriteWithOthers = async () => {
    const { data } = await client.entitlements.read({ customer: 'ada', feature: 'collaboration' })
    return data[0]?.allowed
  }
  expect(await mayWriteWithOthers()).toBe(false)

  // Ten days later she wants Premium. She is shown a whole month, from now on.
  await turn('2026-01-20T12:00:00Z')
  const premium = { plan: 'premium-monthly', paymentPage: { returnUrl: 'https://app.example/billing' } }
  const upgrade = await client.subscriptions.preview(id, premium)
  expect(upgrade).toMatchObject({
    ...{ direction: 'upgrade', takesEffect: 'now', startsPeriod: true, needsPaymentPage: true },
    dueNow: { total: { amount: '9.00' }, amountDue: { amount: '9.00' } },
    recurring: { amount: '9.00' },
  })
  expect(shownLines(upgrade.dueNow)).toEqual([
    'Unused time on Starter after 20 Jan 2026 0',
    '1 × Premium (at $9.00 / month) 900',
  ])
  const asked = await client.subscriptions.change(id, { ...premium, preview: upgrade.token })
  expect(asked).toMatchObject({
    subscription: { plan: 'starter' },
    change: { state: 'requiresAction', action: { type: 'providePaymentMethod' } },
  })

  // She leaves a card on Stripe's page. Stripe tells us, whether she comes back or not.
  const { data: pages } = await stripe.checkout.sessions.list({ customer })
  expect(pages.map(({ url }) => url)).toEqual([asked.change.action?.url])
  await simulator(`/checkout/${pages[0]?.id}/complete`, { card: 'pm_card_visa' })
  const stateOf = async (change: string) => (await client.subscriptions.readChange(id, change)).state
  await expect.poll(() => stateOf(asked.change.id), patience).toBe('effective')
  expect(await client.subscriptions.read(id)).toMatchObject({
    ...{ plan: 'premium-monthly', status: 'active', access: 'full' },
    billingCycleAnchor: '2026-01-20T12:00:00Z',
    currentPeriod: { start: '2026-01-20T12:00:00Z', end: '2026-02-20T12:00:00Z' },
  })
  const first = (await invoices()).at(-1)
  expect(first).toMatchObject({ status: 'paid', total: 900, amount_paid: 900 })
  expect(billedLines(first)).toEqual(shownLines(upgrade.dueNow))

  // Her card has no money on the day of renewal. She goes on writing with others, and cannot switch out of the debt.
  await simulator('/declines', { decline_code: 'insufficient_funds', times: 1 })
  await turn('2026-02-20T14:00:00Z')
  await expect
    .poll(() => client.subscriptions.read(id), patience)
    .toMatchObject({ plan: 'premium-monthly', status: 'past_due', access: 'grace' })
  expect(await mayWriteWithOthers()).toBe(true)
  await expect(client.subscriptions.change(id, { plan: 'starter' })).rejects.toMatchObject({
    code: 'subscription_not_changeable',
  })

  // Another card; Stripe's next try is three days after the first, and is paid.
  const card = await client.subscriptions.change(id, { paymentMethod: 'pm_card_mastercard' })
  expect(card).toMatchObject({ change: { state: 'effective', contract: null } })
  await turn('2026-02-23T14:00:00Z')
  await expect
    .poll(() => client.subscriptions.read(id), patience)
    .toMatchObject({
      ...{ status: 'active', access: 'full', pastDueSince: null },
      currentPeriod: { start: '2026-02-20T12:00:00Z', end: '2026-03-20T12:00:00Z' },
    })

  // Her book is done. She keeps what she paid for until the month is over.
  const downgrade = await client.subscriptions.preview(id, { plan: 'starter' })
  expect(downgrade).toMatchObject({
    ...{ direction: 'downgrade', takesEffect: 'periodEnd', takesEffectAt: '2026-03-20T12:00:00Z' },
    dueNow: null,
    nextInvoice: { at: '2026-03-20T12:00:00Z', total: { minor: '0' } },
    recurring: { minor: '0' },
  })
  expect(shownLines(downgrade.nextInvoice)).toEqual(['1 × Starter (at $0.00 / month) 0'])
  const back = await client.subscriptions.change(id, { plan: 'starter', preview: downgrade.token })
  expect(back).toMatchObject({
    subscription: { plan: 'premium-monthly', access: 'full' },
    change: { state: 'scheduled', dueAt: '2026-03-20T12:00:00Z' },
  })
  await turn('2026-03-20T14:00:00Z')
  await expect.poll(() => stateOf(back.change.id), patience).toBe('effective')
  expect(await client.subscriptions.read(id)).toMatchObject({
    ...{ plan: 'starter', status: 'active', scheduledChange: null },
    currentPeriod: { start: '2026-03-20T12:00:00Z', end: '2026-04-20T12:00:00Z' },
  })
  expect(await mayWriteWithOthers()).toBe(false)
  const billed = await invoices()
  expect(billedLines(billed.at(-1))).toEqual(shownLines(downgrade.nextInvoice))

  // Two months of Premium were paid, and nothing besides.
  expect(billed.map(({ status, total, amount_paid: paid }) => `${status} ${total} ${paid}`)).toEqual([
    'paid 0 0',
    'paid 900 900',
    'paid 900 900',
    'paid 0 0',
  ])

  // And all of it can be read afterwards: how it stood at any time, and what was agreed.
  const history: string[] = []
  for await (const { startsAt, endsAt, plan, status, access, cause } of client.subscriptions.history(id))
    history.unshift(
      `${dayOf(startsAt)} ${endsAt ? dayOf(endsAt) : '…'} ${plan} ${status} ${access}: ${cause}`,
    )
  expect(history).toEqual([
    '2026-01-10 2026-01-20 starter active full: registration',
    '2026-01-20 2026-02-20 premium-monthly active full: planChange',
    '2026-02-20 2026-02-23 premium-monthly past_due grace: paymentFailed',
    '2026-02-23 2026-03-20 premium-monthly active full: paymentRecovered',
    '2026-03-20 … starter active full: planChange',
  ])
  const contracts: string[] = []
  for await (const { plan, sequence, supersededBy } of client.contracts.list({ subscription: id }))
    contracts.unshift(`${sequence} ${plan}${supersededBy === null ? ', in force' : ''}`)
  expect(contracts).toEqual(['1 starter', '2 premium-monthly', '3 starter, in force'])
  expect(await client.contracts.verify(signedUp.customer)).toMatchObject({ contracts: 3, intact: true })
})
