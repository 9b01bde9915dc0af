import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { newId } from '../src/ids.ts'
import { cancelSubscription } from '../src/workflow/deeds/cancel.ts'
import { resumeSubscription } from '../src/workflow/deeds/resume.ts'
import { makeWorkflows } from '../src/workflow/workflows.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

// What is paused goes on when its invoice is paid: https://docs.stripe.com/billing/subscriptions/pause

const world = await shared(newBillingWorld())
const server = await newServer(world)
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

const NOW = '2026-01-15T00:00:00Z'

async function paused(): Promise<Payer> {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.turn(payer, NOW)
  await world.stripe.subscriptions.pause(payer.subscription, {
    bill_for: { unused_time_from: { type: 'none' } },
  })
  await world.deliver()
  return payer
}

const resume = ({ subscriptionId }: Payer, key: string = newId('operation')) =>
  server.call({
    method: 'POST',
    url: `/v1/subscriptions/${subscriptionId}/resume`,
    headers: { 'idempotency-key': key },
  })

async function payWith({ customer }: Payer, card: string): Promise<void> {
  const { id } = await world.stripe.paymentMethods.attach(card, { customer })
  await world.stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } })
}

const invoicesOf = async ({ subscription }: Payer) =>
  (await world.stripe.invoices.list({ subscription })).data

test('what is paused begins a new period, paid at once', async () => {
  const ada = await paused()
  expect(await resume(ada)).toMatchObject({
    status: 200,
    body: { state: 'done', action: null, subscription: { status: 'active', currentPeriod: { start: NOW } } },
  })
  expect((await invoicesOf(ada)).map(({ total, status }) => `${total} ${status}`)).toEqual([
    '2000 paid',
    '2000 paid',
  ])
})

const cards = [
  { card: 'pm_card_chargeCustomerFail', problem: { code: 'card_declined' }, paysBy: 'another card' },
  { card: 'pm_card_authenticationRequired', problem: null, paysBy: 'the answer to the bank' },
] as const

test.each(cards)('whose $card does not pay says where, and goes on with $paysBy', async (given) => {
  const ada = await paused()
  await payWith(ada, given.card)
  const key = newId('operation')
  const asked = await resume(ada, key)
  const [invoice, ...others] = await invoicesOf(ada)
  expect(asked).toMatchObject({
    status: 202,
    body: {
      state: 'requiresAction',
      action: { type: 'payInvoice', url: invoice?.hosted_invoice_url, problem: given.problem },
      subscription: { status: 'paused' },
    },
  })
  // Repeated, the same answer; asked for once more, the same invoice.
  expect(await resume(ada, key)).toMatchObject({ status: 202, text: asked.text })
  expect((await resume(ada)).body).toMatchObject({ action: { url: invoice?.hosted_invoice_url } })
  expect(await invoicesOf(ada)).toHaveLength(1 + others.length)

  if (given.problem === null) {
    const { data } = await world.stripe.paymentIntents.list({ customer: ada.customer, limit: 1 })
    world.simulator.control.authenticate(data[0]?.id ?? '', 'succeed')
  } else {
    await payWith(ada, 'pm_card_visa')
    await world.stripe.invoices.pay(invoice?.id ?? '')
  }
  await world.deliver()
  const row = world.db.selectFrom('subscription').select('status').where('id', '=', ada.subscriptionId)
  expect(await row.executeTakeFirst()).toEqual({ status: 'active' })
})

test('what is paused in the second in which its period began is seen to be', async () => {
  const ada = await world.register('plain', NOW)
  await world.stripe.subscriptions.pause(ada.subscription)
  await world.deliver()
  expect(
    await world.db.selectFrom('providerEvent').select('type').where('state', '=', 'received').execute(),
  ).toEqual([])
  expect((await resume(ada)).body).toMatchObject({ state: 'done', subscription: { status: 'active' } })
})

test('who asks for what is under way has its answer for ever, and a hand in it', async () => {
  const ada = await world.register('plain', NOW)
  await world.deliver()
  const { subscriptionId } = ada
  const wanted = { when: 'periodEnd', unusedTime: 'keep' } as const
  const own = { actor: 'user_1', asks: 'user', reason: 'customer', operation: newId('operation') } as const
  const fraud = { actor: 'key_1', asks: 'admin', reason: 'fraud', operation: newId('operation') } as const
  const parts = { ...world.deps, workflows: world.workflows }
  // A process that begins it and does not carry it out.
  const idle = { ...world.deps, workflows: makeWorkflows(world.deps, []) }
  const first = cancelSubscription(idle, { subscriptionId, wanted, ...own })
  await rows(`select from subscription_deed where operation = '${own.operation}'`, 1)
  const second = cancelSubscription(parts, { subscriptionId, wanted, ...fraud })
  await rows(`select from subscription_deed_request where operation = '${fraud.operation}'`, 1)
  await world.pool.query('update workflow set lease_until = null where ended_at is null')
  await world.workflows.resumeDue()
  await Promise.all([first, second])
  const again = (asked: typeof own | typeof fraud) =>
    cancelSubscription(parts, { subscriptionId, wanted, ...asked })
  const answer = await again(own)
  expect(answer).toMatchObject({ state: 'done' })
  expect(await again(fraud)).toEqual(answer)

  // Both wanted it, so the user alone does not take it back.
  const back = { subscriptionId, reason: null, operation: newId('operation') }
  await expect(resumeSubscription(parts, { ...back, actor: 'user_1', asks: 'user' })).rejects.toMatchObject({
    code: 'forbidden',
  })
  await resumeSubscription(parts, { ...back, actor: 'key_1', asks: 'admin' })
  // Asked again by the same name, it is answered and not done again.
  expect(await again(fraud)).toEqual(answer)
  expect((await world.stripe.subscriptions.retrieve(ada.subscription)).cancel_at).toBeNull()
})

async function rows(query: string, count: number): Promise<void> {
  const found = async () => (await world.pool.query(query)).rowCount
  await expect.poll(found, { timeout: 120_000 }).toBe(count)
}
