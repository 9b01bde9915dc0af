// docs.stripe.com/billing/subscriptions/pending-updates and .../pending-updates-reference
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, DAY, HOUR, JAN_1, refusal } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY

const world = await sharedWorld()

type Invoice = import('stripe').default.Invoice

/** Half of January is left when a seat is added to the one at 31.00. */
async function upgrade({ card, at = JAN_1 + 15.5 * DAY }: { card: string; at?: number }) {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(3100)).id
  const before = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  const item = before.items.data[0]?.id as string
  await world.advance(ada.clock, at)
  await world.setCard(ada.id, card)
  let after = before
  const types = await world.typesDuring(async () => {
    after = await stripe.subscriptions.update(before.id, {
      items: [{ id: item, quantity: 2 }],
      payment_behavior: 'pending_if_incomplete',
      proration_behavior: 'always_invoice',
      expand: ['latest_invoice'],
    })
  })
  return { ada, price, item, id: before.id, after, invoice: after.latest_invoice as Invoice, types }
}

const read = (id: string) => world.stripe.subscriptions.retrieve(id)

test('a change that is paid at once is never pending', async () => {
  const { after, invoice, types } = await upgrade({ card: 'pm_card_visa' })
  expect(after.pending_update).toBeNull()
  expect(after.items.data[0]?.quantity).toBe(2)
  expect(amounts(invoice)).toEqual([-1550, 3100])
  expect(types).toContain('customer.subscription.updated')
  expect(types.filter((type) => type.includes('pending_update'))).toEqual([])
})

test('a change that is not paid waits: the subscription stays as it was, and active', async () => {
  const { ada, item, id, after, invoice, types } = await upgrade({ card: 'pm_card_chargeCustomerFail' })
  const now = JAN_1 + 15.5 * DAY
  expect(after).toMatchObject({
    status: 'active',
    items: { data: [{ id: item, quantity: 1 }] },
    pending_update: {
      expires_at: now + 23 * HOUR,
      subscription_items: [{ id: item, quantity: 2 }],
      billing_cycle_anchor: null,
      trial_end: null,
    },
  })
  expect(invoice).toMatchObject({ status: 'open', total: 1550, next_payment_attempt: null })
  expect(types).toEqual(
    expect.arrayContaining([
      'invoiceitem.created',
      'invoice.created',
      'invoice.finalized',
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.payment_failed',
      'customer.subscription.updated',
    ]),
  )
  await world.setCard(ada.id, 'pm_card_visa')
  const paid = await world.typesDuring(() => world.stripe.invoices.pay(invoice.id))
  expect(paid).toEqual(
    expect.arrayContaining([
      'invoice.paid',
      'customer.subscription.updated',
      'customer.subscription.pending_update_applied',
    ]),
  )
  expect(await read(id)).toMatchObject({
    pending_update: null,
    items: { data: [{ id: item, quantity: 2 }] },
    status: 'active',
  })
  // The renewal bills two seats.
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  expect((await world.invoices(id)).at(-1)).toMatchObject({ total: 6200, status: 'paid' })
})

test('after 23 hours it is gone, and its invoice is voided', async () => {
  const { ada, id, invoice } = await upgrade({ card: 'pm_card_chargeCustomerFail' })
  const now = JAN_1 + 15.5 * DAY
  await world.advance(ada.clock, now + 23 * HOUR - 1)
  expect((await read(id)).pending_update).not.toBeNull()
  const types = await world.typesDuring(() => world.advance(ada.clock, now + 23 * HOUR))
  expect(types.filter((type) => !type.startsWith('test_helpers.')).sort()).toEqual([
    'customer.subscription.pending_update_expired',
    'customer.subscription.updated',
    'invoice.updated',
    'invoice.voided',
    'payment_intent.canceled',
  ])
  expect(await read(id)).toMatchObject({ status: 'active', pending_update: null })
  expect((await read(id)).items.data[0]?.quantity).toBe(1)
  expect((await world.stripe.invoices.retrieve(invoice.id)).status).toBe('void')
})

test('it expires with the period, before the renewal', async () => {
  const { ada, id, after } = await upgrade({ card: 'pm_card_chargeCustomerFail', at: FEB_1 - 20 * HOUR })
  expect(after.pending_update?.expires_at).toBe(FEB_1)
  await world.setCard(ada.id, 'pm_card_visa')
  await world.advance(ada.clock, FEB_1 + 2 * HOUR)
  const renewal = (await world.invoices(id)).at(-1)
  expect(renewal).toMatchObject({ total: 3100, status: 'paid' })
  expect((await read(id)).pending_update).toBeNull()
})

test('it ends with its subscription: the invoice that would pay for it is voided', async () => {
  const { stripe } = world
  const { ada, id, invoice } = await upgrade({ card: 'pm_card_chargeCustomerFail' })
  expect(invoice.status).toBe('open')
  const types = await world.typesDuring(() => stripe.subscriptions.cancel(id))
  expect(types).toContain('invoice.voided')
  expect(types).not.toContain('customer.subscription.pending_update_expired')
  expect((await stripe.invoices.retrieve(invoice.id)).status).toBe('void')
  await world.setCard(ada.id, 'pm_card_visa')
  expect((await refusal(stripe.invoices.pay(invoice.id))).statusCode).toBe(400)
})

test('voiding its invoice cancels it, a further update replaces it', async () => {
  const first = await upgrade({ card: 'pm_card_chargeCustomerFail' })
  await world.stripe.invoices.voidInvoice(first.invoice.id)
  expect(await read(first.id)).toMatchObject({ pending_update: null, status: 'active' })
  const second = await upgrade({ card: 'pm_card_chargeCustomerFail' })
  const again = await world.stripe.subscriptions.update(second.id, {
    items: [{ id: second.item, quantity: 3 }],
    payment_behavior: 'pending_if_incomplete',
    proration_behavior: 'always_invoice',
  })
  expect(again.pending_update?.subscription_items?.[0]?.quantity).toBe(3)
  const invoices = await world.invoices(second.id)
  expect(invoices.map(({ status, total }) => [status, total])).toEqual([
    ['paid', 3100],
    ['void', 1550],
    ['open', 3100],
  ])
})

test('items that were added and removed come back in their order', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const [one, two, three] = await Promise.all([100, 200, 300].map((amount) => world.price(amount)))
  const before = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: one?.id as string }, { price: two?.id as string }],
  })
  await world.advance(ada.clock, JAN_1 + DAY)
  await world.setCard(ada.id, 'pm_card_chargeCustomerFail')
  const held = await stripe.subscriptions.update(before.id, {
    items: [{ id: before.items.data[0]?.id as string, deleted: true }, { price: three?.id as string }],
    payment_behavior: 'pending_if_incomplete',
    proration_behavior: 'always_invoice',
  })
  const ids = (list: { id: string }[]) => list.map(({ id }) => id)
  expect(ids(held.items.data)).toEqual(ids(before.items.data))
  const wanted = ids(held.pending_update?.subscription_items ?? [])
  await world.setCard(ada.id, 'pm_card_visa')
  await stripe.invoices.pay(held.latest_invoice as string)
  expect(ids((await read(before.id)).items.data)).toEqual(wanted)
})

test('what makes no invoice is done at once, and only what prorates may go with it', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(3100)).id
  const { id, items } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  const entry = { id: items.data[0]?.id as string, quantity: 2 }
  const done = await stripe.subscriptions.update(id, {
    items: [entry],
    payment_behavior: 'pending_if_incomplete',
  })
  expect(done).toMatchObject({ pending_update: null, items: { data: [{ quantity: 2 }] } })
  const described = stripe.subscriptions.update(id, {
    items: [entry],
    description: 'no',
    payment_behavior: 'pending_if_incomplete',
  })
  expect(await refusal(described)).toMatchObject({ statusCode: 400, param: 'description' })
  const labeled = stripe.subscriptionItems.update(entry.id, {
    quantity: 4,
    metadata: { a: 'b' },
    payment_behavior: 'pending_if_incomplete',
  })
  expect(await refusal(labeled)).toMatchObject({ statusCode: 400, param: 'items[0][metadata]' })
})

test('error_if_incomplete changes nothing, default_incomplete changes and awaits the payment', async () => {
  const { stripe } = world
  for (const payment_behavior of ['error_if_incomplete', 'default_incomplete'] as const) {
    const ada = await world.customer()
    const price = (await world.price(3100)).id
    const { id, items } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
    await world.setCard(ada.id, 'pm_card_chargeCustomerFail')
    const call = stripe.subscriptions.update(id, {
      items: [{ id: items.data[0]?.id as string, quantity: 2 }],
      proration_behavior: 'always_invoice',
      payment_behavior,
    })
    if (payment_behavior === 'error_if_incomplete') {
      expect(await refusal(call)).toMatchObject({ statusCode: 402, code: 'card_declined' })
      expect((await read(id)).items.data[0]?.quantity).toBe(1)
      expect(await world.invoices(id)).toHaveLength(1)
    } else {
      expect((await call).items.data[0]?.quantity).toBe(2)
      const invoice = (await world.invoices(id)).at(-1)
      expect(invoice).toMatchObject({ status: 'open', attempted: false })
      // docs.stripe.com/api/subscriptions/update: past_due when payment is required.
      expect((await read(id)).status).toBe('past_due')
      await world.setCard(ada.id, 'pm_card_visa')
      await stripe.invoices.pay(invoice?.id ?? '')
      expect((await read(id)).status).toBe('active')
    }
  }
})
