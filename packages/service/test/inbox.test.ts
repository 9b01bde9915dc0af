import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { seeded } from '../../../test/support/random.ts'
import { showInbox } from '../src/inbox/figures.ts'
import { createMetrics } from '../src/metrics.ts'
import { readEvent, requeueEvent } from '../src/store/provider-events.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

const outcome = async (event: { id: string }) => {
  const row = await readEvent(world.db, event.id)
  return row && `${row.state} ${row.outcome}`
}

/** A customer's year in short: used, renewed, failed, paid, canceled. Only the clock's own events are heard. */
async function live(): Promise<{ payer: Payer; events: Stripe.Event[] }> {
  const events: Stripe.Event[] = []
  const hear = async () => {
    for (const event of await world.newEvents()) {
      if (event.type.startsWith('test_helpers')) await world.receive(event)
      else events.push(event)
    }
    await world.drain()
  }
  const { stripe } = world
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.turn(payer, '2026-01-20T00:00:00Z')
  await hear()
  await world.use(payer, '100', '2026-01-15T00:00:00Z')
  await world.sync(payer)
  await world.turn(payer, '2026-02-10T02:00:00Z')
  const customer = payer.customer
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: failing.id } })
  await stripe.subscriptions.update(payer.subscription, { default_payment_method: failing.id })
  await world.turn(payer, '2026-03-10T02:00:00Z')
  await hear()
  const good = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  await stripe.subscriptions.update(payer.subscription, { default_payment_method: good.id })
  const [open] = (await stripe.invoices.list({ customer, status: 'open' })).data
  if (open) await stripe.invoices.pay(open.id)
  await stripe.subscriptions.update(payer.subscription, { cancel_at_period_end: true })
  await world.turn(payer, '2026-04-11T00:00:00Z')
  await hear()
  return { payer, events }
}

async function state(payer: Payer) {
  const subscription = await world.db
    .selectFrom('subscription')
    .selectAll()
    .where('id', '=', payer.subscriptionId)
    .executeTakeFirst()
  const lines = await world.db
    .selectFrom('lineItem')
    .select(['description', 'amount', 'periodStart', 'periodEnd', 'lineKey', 'revision', 'quantity'])
    .where('customerId', '=', payer.customerId)
    .orderBy('periodStart')
    .orderBy('description')
    .orderBy('amount')
    .execute()
  const items = await world.db
    .selectFrom('invoiceItem')
    .select(['lineKey', 'revision', 'state', 'amount'])
    .where('customerId', '=', payer.customerId)
    .execute()
  const slots = await world.db
    .selectFrom('subscriptionSlot')
    .selectAll()
    .where('customerId', '=', payer.customerId)
    .execute()
  const { status, currentPeriodStart, currentPeriodEnd, cancelAtPeriodEnd, endedAt } = subscription ?? {}
  return {
    subscription: { status, currentPeriodStart, currentPeriodEnd, cancelAtPeriodEnd, endedAt },
    story: await world.story(payer),
    lines,
    items,
    slots: slots.length,
  }
}

test('an event is stored once and acts once, however often it is delivered', async () => {
  const { payer, events } = await live()
  for (const event of events) {
    await Promise.all(Array.from({ length: 10 }, () => world.receive(event)))
    await Promise.all([world.drain(), world.drain(), world.drain()])
  }
  expect((await state(payer)).story).toEqual([
    '2026-01-10 … 2026-01-10 subscription_create paid 2000',
    '2026-01-10 … 2026-02-10 subscription_cycle paid 2100',
    '2026-02-10 … 2026-03-10 subscription_cycle paid 2000',
    '2026-03-10 … 2026-04-10 subscription_cycle paid 0',
  ])
  const { rows } = await world.pool.query(
    `select count(*) as events, count(*) filter (where state = 'received') as waiting from provider_event
     where id = any ($1)`,
    [events.map(({ id }) => id)],
  )
  expect(rows).toEqual([{ events: BigInt(events.length), waiting: 0n }])
})

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'doubled and shuffled (seed %i), the events of a life end in one state',
  async (seed) => {
    const inOrder = await live()
    for (const event of inOrder.events) {
      await world.receive(event)
      await world.drain()
    }
    const random = seeded(seed)
    const shuffled = await live()
    const twice = random.shuffle([...shuffled.events, ...shuffled.events])
    while (twice.length > 0) {
      for (const event of twice.splice(0, 1 + random.below(8))) await world.receive(event)
      await Promise.all([world.drain(), world.drain()])
    }
    const anonymous = ({ slots, ...rest }: Awaited<ReturnType<typeof state>>) => ({ slots, ...rest })
    expect(anonymous(await state(shuffled.payer))).toEqual(anonymous(await state(inOrder.payer)))
  },
)

test('a payload is applied when it is newer than all we know; after an answer of our own the object is fetched, once', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  const SUBSCRIPTION = 'GET /v1/subscriptions/:id'
  // Our own call made it: the event about that says what we hold, and costs nothing.
  const created = await world.newEvents()
  const calls = await world.requests(async () => {
    for (const event of created) await world.receive(event)
    await world.drain()
  })
  expect(calls.filter((call) => call === SUBSCRIPTION)).toEqual([])

  await world.turn(payer, '2026-02-10T02:00:00Z')
  const renewal = await world.newEvents()
  const renewed = await world.requests(async () => {
    for (const event of renewal)
      if (event.type.startsWith('customer.subscription')) await world.receive(event)
    await world.drain()
  })
  expect(renewed.filter((call) => call === SUBSCRIPTION)).toEqual([])
  expect((await world.story(payer)).at(-1)).toBe('2026-02-10 … 2026-03-10 subscription_cycle current -')

  // Many changes within one second that end where they began: nobody knows which is the last, so it is looked up, once for all.
  for (const step of [...Array(20).keys(), '']) {
    await world.stripe.subscriptions.update(payer.subscription, { metadata: { step } })
  }
  const tied = await world.newEvents()
  const looked = await world.requests(async () => {
    for (const event of seeded(1).shuffle(tied)) await world.receive(event)
    await world.drain()
  })
  expect(looked.filter((call) => call === SUBSCRIPTION)).toEqual([SUBSCRIPTION])
  const { rows } = await world.pool.query('select raw from provider_object where id = $1', [
    payer.subscription,
  ])
  expect(rows[0]?.raw.metadata).not.toHaveProperty('step')
})

test('an event of another API version is only a reason to look', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-02-10T00:30:00Z')
  const event = (await world.newEvents()).find(({ type }) => type === 'customer.subscription.updated')
  const old = {
    ...event,
    api_version: '2024-06-20',
    data: { object: { ...event?.data.object, items: undefined } },
  }
  await world.receive(old)
  await world.drain()
  expect(await outcome({ id: event?.id ?? '' })).toBe('processed fetched')
  expect((await world.story(payer)).at(-1)).toBe('2026-02-10 … 2026-03-10 subscription_cycle current -')
})

test('deleted, and then a late update: it stays deleted', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(payer.subscription, { metadata: { late: 'yes' } })
  const [late] = (await world.newEvents()).filter(({ type }) => type === 'customer.subscription.updated')
  await world.turn(payer, '2026-01-12T00:00:00Z')
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await world.receive(late ?? {})
  await world.drain()
  expect((await state(payer)).subscription.status).toBe('canceled')
  // Even said to be newer than everything.
  const made = { ...late, id: 'evt_made_up', created: 2_000_000_000 }
  await world.receive(made)
  await world.drain()
  expect((await state(payer)).subscription.status).toBe('canceled')
})

test("what is not this installation's is kept as ignored, and Stripe is not asked", async () => {
  const foreign = await world.stripe.customers.create({
    email: 'somebody@example.org',
  })
  const card = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: foreign.id })
  const [price] = (await world.stripe.prices.list({ type: 'recurring', currency: 'usd' })).data
  await world.stripe.subscriptions.create({
    customer: foreign.id,
    items: [{ price: price?.id ?? '' }],
    default_payment_method: card.id,
    metadata: { lockstep_instance: 'instance_of_somebody_else', lockstep_subscription: 'subscription_1' },
  })
  const events = await world.newEvents()
  const calls = await world.requests(async () => {
    for (const event of events) await world.receive(event)
    await world.drain()
  })
  expect(calls).toEqual([])
  // Put back by hand, they are set aside again.
  for (const { id } of events) await requeueEvent(world.db, id, world.wall.time)
  expect(await world.requests(world.drain)).toEqual([])
  const outcomes = await Promise.all(events.map(outcome))
  expect(new Set(outcomes)).toEqual(
    new Set(['ignored foreign', 'ignored unhandled_type', 'processed recorded']),
  )
  // Only kinds that are never looked at are recorded: whatever could become something here is set aside.
  const looked = events.filter(({ type }) =>
    ['customer.created', 'customer.subscription.created', 'invoice.created', 'invoice.paid'].includes(type),
  )
  expect(looked.map(({ type }) => type).toSorted()).toEqual([
    'customer.created',
    'customer.subscription.created',
    'invoice.created',
    'invoice.paid',
  ])
  expect(new Set(await Promise.all(looked.map(outcome)))).toEqual(new Set(['ignored foreign']))
  const { rows } = await world.pool.query('select 1 from provider_object where raw::text like $1', [
    `%${foreign.id}%`,
  ])
  expect(rows).toEqual([])
})

test('what a connected account tells of is set aside, thin or not, and again when it is put back by hand', async () => {
  const { id } = await world.stripe.customers.create({ name: 'Connected' })
  const [made] = (await world.newEvents()).filter(({ type }) => type === 'customer.created')
  const whole = { ...made, id: 'evt_of_a_connected_account', account: 'acct_connected' }
  // https://docs.stripe.com/api/v2/core/events/object
  const thin = {
    ...{ id: 'evt_thin_of_a_connected_account', object: 'v2.core.event', type: 'v1.customer.created' },
    ...{ created: '2026-01-01T00:00:00.000Z', livemode: false, context: 'acct_connected' },
    related_object: { id, type: 'customer', url: `/v1/customers/${id}` },
  }
  for (const event of [whole, thin]) {
    await world.receive(event)
    expect(await outcome(event)).toBe('ignored other_account')
    await requeueEvent(world.db, event.id, world.wall.time)
    expect(await world.requests(world.drain)).toEqual([])
    expect(await outcome(event)).toBe('ignored other_account')
  }
})

// An endpoint of an organization gets what its accounts tell, each with its own:
// https://docs.stripe.com/changelog/basil/2025-04-30/additional-context-organization-events
test('what names our own account is ours, thin or not', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const { account } = world.deps.provider
  const named = async (name: string) => {
    await world.stripe.customers.update(payer.customer, { name })
    const [made] = (await world.newEvents()).filter(({ type }) => type === 'customer.updated')
    if (!made) throw new Error('Nothing was told.')
    return made
  }
  const whole = { ...(await named('By its context')), context: account }
  const thin = {
    ...{ id: 'evt_thin_of_ours', object: 'v2.core.event', type: 'v1.customer.updated', context: account },
    ...{ created: '2026-01-01T00:00:00.000Z', livemode: false },
    related_object: { id: payer.customer, type: 'customer', url: `/v1/customers/${payer.customer}` },
  }
  for (const event of [whole, thin]) {
    await world.receive(event)
    await world.drain()
    expect(await outcome(event)).toMatch(/^processed /)
  }
})

test('an event that breaks something is tried again, then parked, and delays nobody', async () => {
  const poisoned = await world.register('plain', '2026-01-10T00:00:00Z')
  const healthy = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(poisoned, '2026-02-10T00:30:00Z')
  await world.turn(healthy, '2026-02-10T00:30:00Z')
  const events = await world.newEvents()
  const bad = events.find(
    ({ type, data }) =>
      type === 'invoice.created' && (data.object as Stripe.Invoice).customer === poisoned.customer,
  ) as Stripe.InvoiceCreatedEvent
  const poison = { ...bad, data: { object: { ...bad.data.object, status: 'unheard_of' } } }
  await world.receive(poison)
  for (const event of events) {
    const { customer } = event.data.object as { customer?: string }
    if (customer === healthy.customer) await world.receive(event)
  }
  await world.drain()
  expect((await world.story(healthy)).at(-1)).toBe('2026-02-10 … 2026-03-10 subscription_cycle current -')
  expect(await readEvent(world.db, bad.id)).toMatchObject({ state: 'received', attempts: 1 })

  // Not before its time, and longer each time.
  await world.drain()
  expect(await readEvent(world.db, bad.id)).toMatchObject({ attempts: 1 })
  for (let tries = 2; tries <= 8; tries += 1) {
    world.wall.time += 300
    await world.drain()
    expect(await readEvent(world.db, bad.id)).toMatchObject({ attempts: tries })
  }
  expect(await readEvent(world.db, bad.id)).toMatchObject({
    state: 'parked',
    outcome: 'gave_up',
    problem: { code: 'internal_error' },
  })
  // A person has a look, and the object is looked up as it is.
  await requeueEvent(world.db, bad.id, world.wall.time)
  await world.drain()
  expect(await outcome(bad)).toMatch(/^parked|^received/)
})

test('Stripe away: nothing is given up, and everything is done when it is back', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.turn(payer, '2026-01-11T00:00:00Z')
  await world.deliver()
  // Of one second, and it ends as it began: that has to be looked up.
  await world.stripe.subscriptions.update(payer.subscription, { metadata: { a: '1' } })
  await world.stripe.subscriptions.update(payer.subscription, { metadata: { a: '' } })
  const events = await world.newEvents()
  world.simulator.control.fail({ kind: 'error_500', method: 'GET', times: 1000 })
  for (const event of events) await world.receive(event)
  for (let tries = 0; tries < 12; tries += 1) {
    await world.drain()
    world.wall.time += 300
  }
  const states = new Set(await Promise.all(events.map(outcome)))
  expect(states).toEqual(new Set(['received null']))
  world.simulator.control.clearFaults()
  await world.drain()
  expect(new Set(await Promise.all(events.map(outcome)))).toEqual(new Set(['processed fetched']))
})

test('a draft that was deleted at Stripe is forgotten, and its lines are sent again', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(payer, '10', '2026-01-15T00:00:00Z')
  await world.sync(payer)
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  const { invoice } = await world.read(payer, 'closing')
  expect(invoice.providerInvoiceId).not.toBeNull()
  await world.stripe.invoices.del(invoice.providerInvoiceId ?? '')
  await world.deliver()
  await world.sync(payer)
  await world.deliver()
  await world.turn(payer, '2026-01-20T04:00:00Z')
  await world.deliver()
  expect((await world.story(payer)).at(-1)).toBe('2026-01-10 … 2026-01-20 subscription_cycle paid 10')
})

test('a backlog and what was given up show in the figures', async () => {
  const metrics = createMetrics()
  showInbox({ ...world.deps, metrics })
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.drain()
  const events = (await world.newEvents()).filter(({ type }) => type === 'customer.subscription.created')
  for (const event of events) await world.receive(event)
  world.wall.time += 17
  const shown = async () => (await metrics.registry.metrics()).split('\n')
  expect(await shown()).toEqual(
    expect.arrayContaining([
      'lockstep_inbox_events{state="waiting"} 1',
      'lockstep_inbox_age_seconds{event="oldest waiting"} 17',
    ]),
  )
  await world.drain()
  expect(await shown()).toContain('lockstep_inbox_events{state="waiting"} 0')
  expect((await world.story(payer)).length).toBeGreaterThan(0)
})
