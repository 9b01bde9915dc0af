import { beforeEach, expect, test } from 'vitest'
import { setDefaultPaymentMethod } from '../src/provider/stripe/payment-methods.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { lookAt } from '../src/workflow/look.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { damaging } from './support/damaging.ts'
import { shared } from './support/shared.ts'

// One customer for all: what is damaged is repaired again before the next.
const world = await shared(newBillingWorld())
const ada = await world.register('plain', '2026-01-10T00:00:00Z')
await world.turn(ada, '2026-01-20T00:00:00Z')
await world.deliver()
await world.use(ada, '12', '2026-01-15T00:00:00Z')
await world.sync(ada)
beforeEach(async () => {
  expect((await findDrift(world.deps)).drifts).toEqual([])
})

const { sql, story, drifts, mend } = damaging(world, ada)

test.each([
  ['status', `'past_due'`],
  ['status', `'trialing'`],
  ['quantity', '9'],
  ['current_period_end', `current_period_end + interval '1 day'`],
  ['trial_end', `'2026-03-01Z'`],
  ['cancel_at', `'2026-03-01Z'`],
  ['cancel_at_period_end', 'true'],
  ['canceled_at', `'2026-02-01Z'`],
  ['ended_at', `'2026-02-01Z'`],
  ['started_at', `started_at - interval '1 second'`],
  ['billing_cycle_anchor', `billing_cycle_anchor + interval '1 second'`],
  ['collection', `'void'`],
  ['collection_resumes_at', `'2026-03-01Z'`],
])('a subscription row written by other hands: %s', async (column, value) => {
  await sql(`update subscription set ${column} = ${value} where id = $1`, [ada.subscriptionId])
  const field = column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  await mend(`subscription differs ${field} changedHere look`)
})

test.each(['subtotal', 'total', 'amount_due', 'amount_paid', 'amount_remaining', 'number', 'status'])(
  'an invoice row written by other hands: %s',
  async (column) => {
    const value = column === 'number' ? `'X-1'` : column === 'status' ? `'void'` : '1'
    await sql(
      `update invoice set ${column} = ${value} where id = (select id from invoice
         where subscription_id = $1 and status = 'paid' limit 1)`,
      [ada.subscriptionId],
    )
    const field = column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    await mend(`invoice differs ${field} changedHere look`)
  },
)

test.each<[string, string, () => Promise<unknown>]>([
  [
    'canceled in the dashboard',
    'subscription differs cancelAtPeriodEnd cancelAt canceledAt missed look',
    () => world.stripe.subscriptions.update(ada.subscription, { cancel_at_period_end: true }),
  ],
  [
    'paused in the dashboard',
    'subscription differs collection missed look',
    () =>
      world.stripe.subscriptions.update(ada.subscription, {
        pause_collection: { behavior: 'keep_as_draft' },
      }),
  ],
])('%s', async (_name, found, damage) => {
  await damage()
  const [first = ''] = await drifts()
  expect([...first.split(' ')].sort()).toEqual([...found.split(' ')].sort())
  await mend(first)
})

test('who a customer is is said here, whatever stands there', async () => {
  await world.stripe.customers.update(ada.customer, { email: 'other@example.org' })
  await mend('customer differs email changedThere tell')
  await world.deliver()
  await sql(`update customer_profile set name = 'Ada' where customer_id = $1`, [ada.customerId])
  await mend('customer differs name changedHere tell')
  const customer = await world.stripe.customers.retrieve(ada.customer)
  expect(customer).toMatchObject({ name: 'Ada', email: `${ada.externalId}@example.org` })
})

test('a customer who was renamed at Stripe, and whose event came, was told and changed there', async () => {
  const { name } = (await sql('select name from customer_profile where customer_id = $1', [ada.customerId]))
    .rows[0] as { name: string }
  await world.stripe.customers.update(ada.customer, { name: 'Once' })
  await world.stripe.customers.update(ada.customer, { name: 'Renamed in the dashboard' })
  await world.deliver()
  await mend('customer differs name changedThere tell')
  await world.deliver()
  expect(await world.stripe.customers.retrieve(ada.customer)).toMatchObject({ name })
})

test('a card of ours that became the default after somebody had renamed the customer says nothing of the name', async () => {
  const { id } = await world.stripe.paymentMethods.attach('pm_card_mastercard', { customer: ada.customer })
  await world.stripe.customers.update(ada.customer, { email: 'renamed@example.org' })
  const customer = { id: ada.customerId, providerId: ada.customer }
  await setDefaultPaymentMethod(world.deps, { id: 'a card of the tests' }, customer, id)
  await world.deliver()
  await mend('customer differs email changedThere tell')
  await world.deliver()
})

test('a customer who was renamed at Stripe in a long outage: what we told last says on which side, and without it nobody does', async () => {
  const told = `select id from provider_event where object_id = $1 and type like 'customer._pdated'`
  const renamed = async (email: string) => {
    await world.stripe.customers.update(ada.customer, { email })
    // Stripe keeps no event of it any more: every object is listed.
    await world.newEvents()
    await lookAt(world.deps, { type: 'customer', id: ada.customer })
  }
  await renamed('outage@example.org')
  await mend('customer differs email changedThere tell')
  await world.deliver()

  await renamed('another@example.org')
  await sql(`update provider_event set object_id = 'forgotten ' || id where id in (${told})`, [ada.customer])
  const { drifts: found } = await findDrift(world.deps)
  expect(found.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('nothing tells on which side it was changed'),
  ])
  await mend('customer differs email unknownSide tell')
  await sql(`update provider_event set object_id = $1 where object_id like 'forgotten %'`, [ada.customer])
  await world.deliver()
})

test('what was never said here stays there as it is', async () => {
  await sql('update customer_profile set email = null where customer_id = $1', [ada.customerId])
  expect(await drifts()).toEqual([])
  await world.stripe.customers.update(ada.customer, { name: 'Another' })
  await mend('customer differs name changedThere tell')
  const email = `${ada.externalId}@example.org`
  expect(await world.stripe.customers.retrieve(ada.customer)).toMatchObject({ name: 'Ada', email })
  await sql('update customer_profile set email = $2 where customer_id = $1', [ada.customerId, email])
  await world.deliver()
})

test('one whose repair breaks is told, and keeps none of the others from theirs', async () => {
  await sql('update subscription set quantity = 9 where id = $1', [ada.subscriptionId])
  await sql(
    `update invoice set number = 'X-1' where id = (select id from invoice
       where subscription_id = $1 and status = 'paid' limit 1)`,
    [ada.subscriptionId],
  )
  // Something in the database stands in the way of one of them.
  await sql('alter table subscription add constraint broken check (quantity <> 1) not valid')
  const { repairs, left } = await repairDrift(world.deps)
  await sql('alter table subscription drop constraint broken')
  const refused = (entity: string) =>
    new Set(repairs.filter(({ drift }) => drift.entity === entity).map((repair) => repair.refused))
  expect(refused('subscription')).toEqual(new Set(['Something broke; the log has it.']))
  expect(refused('invoice')).toEqual(new Set([null]))
  expect(left.drifts.map(story)).toEqual(['subscription differs quantity changedHere look'])
  await mend('subscription differs quantity changedHere look')
})

test.each(['customer', 'subscription'] as const)('a %s that lost its link gets it back', async (entity) => {
  const id = entity === 'customer' ? ada.customerId : ada.subscriptionId
  await sql('delete from mapping where entity_id = $1', [id])
  const before = await drifts()
  expect(before).toEqual([`${entity} missingHere unlinked link`])
  const { left } = await repairDrift(world.deps)
  expect(left.drifts).toEqual([])
})

test.each([
  [
    'changed',
    (id: string) => world.stripe.invoiceItems.update(id, { amount: 1 }),
    'differs amount changedThere',
  ],
  ['deleted', (id: string) => world.stripe.invoiceItems.del(id), 'missingThere gone'],
] as const)('an item that was %s there is sent again', async (_name, damage, found) => {
  const { data } = await world.stripe.invoiceItems.list({ customer: ada.customer, pending: true })
  await damage(data[0]?.id ?? '')
  await mend(`invoiceItem ${found} sync`)
  const after = await world.stripe.invoiceItems.list({ customer: ada.customer, pending: true })
  expect(after.data.map(({ amount }) => amount)).toEqual([12])
})

test.each<[string, string, () => Promise<unknown>]>([
  [
    'over here, running there',
    'subscription differs status unexplained none',
    () => sql(`update subscription set status = 'canceled' where id = $1`, [ada.subscriptionId]),
  ],
  [
    'the period that was billed',
    'invoice differs periodEnd unexplained none',
    () =>
      sql(
        `update invoice set period_end = period_end + interval '1 day' where id = (select id from invoice
           where subscription_id = $1 and status = 'paid' order by period_start desc limit 1)`,
        [ada.subscriptionId],
      ),
  ],
  [
    'usage that does not add up',
    'usage differs total unexplained none',
    () =>
      sql(
        `update usage_rollup set sum = sum + 1 where customer_id = $1 and bucket = (
             select max(bucket) from usage_rollup where customer_id = $1)`,
        [ada.customerId],
      ),
  ],
  [
    'a link to another',
    'customer missingThere unexplained none',
    () => sql(`update mapping set provider_id = 'cus_none' where entity_id = $1`, [ada.customerId]),
  ],
])('what nothing explains is not repaired by guess: %s', async (_name, found, damage) => {
  await damage()
  const before = await drifts()
  expect(before).toContain(found)
  await repairDrift(world.deps)
  expect(await drifts()).toContain(found)
  // Put right by hand, so that it does not stand in the way of what comes.
  await sql(`update invoice set period_end = period_start where subscription_id = $1 and status = 'paid'`, [
    ada.subscriptionId,
  ])
  await sql(`update subscription set status = 'active' where id = $1`, [ada.subscriptionId])
  await sql(`update usage_rollup set sum = sum - 1 where customer_id = $1 and sum > 12`, [ada.customerId])
  await sql(`update mapping set provider_id = $2 where entity_id = $1`, [ada.customerId, ada.customer])
})

test('what somebody adds at the provider is no number of the plan, and no drift', async () => {
  const quantity = async () =>
    (await sql('select quantity::int from subscription where id = $1', [ada.subscriptionId])).rows[0].quantity
  const { id: product } = await world.stripe.products.create({ name: 'Consulting' })
  const terms = { product, currency: 'usd', unit_amount: 15000, recurring: { interval: 'month' } } as const
  const { id: price } = await world.stripe.prices.create(terms)
  const added = await world.stripe.subscriptionItems.create({
    ...{ subscription: ada.subscription, price, quantity: 40 },
    proration_behavior: 'none',
  })
  await world.deliver()
  expect(await quantity()).toBe(1)
  expect(await drifts()).toEqual([])
  await world.stripe.subscriptionItems.del(added.id, { proration_behavior: 'none' })
  await world.deliver()
  expect(await quantity()).toBe(1)
})

test('items whose invoices are final are looked at once each, and sent again', async () => {
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.turn(bob, '2026-02-12T00:00:00Z')
  await world.deliver()
  // Late to a period that was billed, and in the one that runs.
  await world.use(bob, '5', '2026-01-15T00:00:00Z')
  await world.use(bob, '7', '2026-02-11T00:00:00Z')
  await world.sync(bob)
  const pending = async () =>
    (await world.stripe.invoiceItems.list({ customer: bob.customer, pending: true })).data
  const items = await pending()
  expect(items.map(({ amount }) => amount).sort((a, b) => a - b)).toEqual([5, 7])
  for (const { id } of items) await world.stripe.invoiceItems.update(id, { amount: 1 })

  const requests = await world.requests(async () => {
    const found = 'invoiceItem differs amount changedThere sync'
    expect(await drifts()).toEqual([found, found])
  })
  expect(requests.filter((request) => request === 'GET /v1/invoiceitems/:id')).toHaveLength(2)
  const { repairs, left } = await repairDrift(world.deps)
  expect(repairs.map(({ refused }) => refused)).toEqual([null, null])
  expect(left.drifts).toEqual([])
  expect((await pending()).map(({ amount }) => amount).sort((a, b) => a - b)).toEqual([5, 7])

  // Nothing is left that could be sent: that is said, and not that it was done.
  const { rows: current } = await sql(
    `update invoice set status = 'void', finalized_at = now() where subscription_id = $1 and finalized_at is null
       returning id`,
    [bob.subscriptionId],
  )
  expect(current).toHaveLength(1)
  const [{ id: item } = { id: '' }] = await pending()
  await world.stripe.invoiceItems.update(item, { amount: 1 })
  const tried = await repairDrift(world.deps)
  for (const { refused } of tried.repairs) expect(refused).toMatch(/^No invoice of its subscription is left/)
  expect(tried.left.drifts.map(story)).toEqual(['invoiceItem differs amount changedThere sync'])
  await sql(`update invoice set status = 'current', finalized_at = null where id = $1`, [current[0].id])
  expect((await repairDrift(world.deps)).left.drifts).toEqual([])
})

test('what waits in the inbox is no drift', async () => {
  const { items } = await world.stripe.subscriptions.retrieve(ada.subscription)
  await world.stripe.subscriptions.update(ada.subscription, {
    items: [{ id: items.data[0]?.id ?? '', quantity: 5 }],
    proration_behavior: 'none',
  })
  for (const event of await world.newEvents()) await world.receive(event)
  const report = await findDrift(world.deps)
  expect(report.drifts).toEqual([])
  expect(report.underWay).toBe(1)
  await world.drain()
  expect((await findDrift(world.deps)).underWay).toBe(0)
})

test('a customer that was deleted there is forgotten, and its subscription is over', async () => {
  await world.stripe.customers.del(ada.customer)
  expect((await drifts()).sort()).toEqual([
    'customer missingThere gone look',
    'invoiceItem missingThere gone sync',
    expect.stringMatching(/^subscription differs status .* missed look$/),
  ])
  const { left } = await repairDrift(world.deps)
  expect(left.drifts).toEqual([])
})
