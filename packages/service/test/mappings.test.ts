import { defineCatalog } from '@lockstep/core/catalog'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { newBell } from '../src/bell.ts'
import { customerRoutes } from '../src/http/routes/customers.ts'
import { mappingRoutes } from '../src/http/routes/mappings.ts'
import { planRoutes } from '../src/http/routes/plans.ts'
import { providerEventRoutes } from '../src/http/routes/provider-events.ts'
import { subscriptionRoutes } from '../src/http/routes/subscriptions.ts'
import { newId } from '../src/ids.ts'
import { sweepEvents } from '../src/inbox/sweep.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { addCustomer } from '../src/store/customers.ts'
import { readEvent } from '../src/store/provider-events.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { decideChange } from '../src/workflow/plan-change/decide.ts'
import type { ChangeWish } from '../src/workflow/plan-change/wish.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const catalog = (businessInterval: 'month' | 'year') =>
  defineCatalog({
    currency: 'usd',
    products: { team: { name: 'Team' }, backups: { name: 'Backups' }, seats: { name: 'Seats' } },
    plans: {
      team: {
        name: 'Team',
        product: 'team',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '20.00' } },
      },
      business: {
        name: 'Business',
        product: 'team',
        interval: businessInterval,
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '40.00' } },
      },
      seated: {
        name: 'Seated',
        product: 'team',
        interval: 'month',
        prices: { seat: { kind: 'recurring', model: 'perUnit', unitAmount: '7.00', product: 'seats' } },
      },
    },
    addons: {
      backups: {
        name: 'Backups',
        product: 'backups',
        interval: 'month',
        prices: { each: { kind: 'recurring', model: 'perUnit', unitAmount: '3.00' } },
      },
    },
  })

// Subscriptions come in; whose customer or plan is missing is put before a person.
const world = await shared(
  newBillingWorld({
    catalog: catalog('month'),
    sync: {
      directions: {
        customer: 'outbound',
        plan: 'outbound',
        price: 'outbound',
        subscription: 'both',
        invoice: 'both',
      },
      missingCustomer: 'park',
      missingPlan: 'park',
    },
  }),
)
const server = await newServer({ db: world.db }, { clock: world.deps.clock })
const parts = { ...world.deps, bell: newBell() }
mappingRoutes(server.app, parts)
providerEventRoutes(server.app, parts)
customerRoutes(server.app, { ...parts, workflows: world.workflows })
planRoutes(server.app, parts)
subscriptionRoutes(server.app, parts)

async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) {
  const { status, body } = await server.call({ method, url, ...(payload && { payload }) })
  const answer = body as Record<string, unknown>
  return { status, body: answer, said: status < 300 ? status : `${status} ${answer.code}` }
}

const link = (entityType: string, entityId: string, providerId: string) =>
  ask('POST', '/v1/mappings', { entityType, entityId, providerId })

async function ours(externalId: string): Promise<string> {
  const id = newId('customer')
  const nobody = { name: null, email: null, testClockId: null }
  await transaction(world.db, (trx) => addCustomer(trx, { id, externalId, ...nobody, at: world.wall.time }))
  return id
}

async function subscribe(price: string): Promise<Stripe.Subscription> {
  const customer = await world.stripe.customers.create({ name: 'Of the dashboard' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return world.stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items: [{ price }],
  })
}

const outcomeOf = async (id: string) => {
  const event = await readEvent(world.db, id)
  return `${event?.state} ${event?.outcome}`
}

const priceOfTeam = () => published(2000)

async function published(unitAmount: number): Promise<Stripe.Price> {
  const { data } = await world.stripe.prices.list({ type: 'recurring' })
  const found = data.find(
    ({ metadata, unit_amount: amount }) =>
      metadata.lockstep_instance === world.deps.provider.instance && amount === unitAmount,
  )
  if (!found) throw new Error('Not published.')
  return found
}

test('a subscription without its customer waits for a person, and goes on when that one has linked it', async () => {
  const made = await subscribe((await priceOfTeam()).id)
  const theirs = made.customer as string
  const events = await world.deliver()
  const created = events.find(({ type }) => type === 'customer.subscription.created')
  expect(await outcomeOf(created?.id ?? '')).toBe('parked needs_mapping')
  expect(await readEvent(world.db, created?.id ?? '')).toMatchObject({
    problem: { code: 'mapping_needed', detail: expect.stringContaining(theirs) },
  })
  // Looked at again without a link, it waits again.
  await ask('POST', `/v1/provider-events/${created?.id}/retry`)
  await world.drain()
  expect(await outcomeOf(created?.id ?? '')).toBe('parked needs_mapping')

  const customer = await ours('user_linked')
  const { status, body } = await link('customer', customer, theirs)
  expect({ status, body }).toMatchObject({
    status: 201,
    body: { entityType: 'customer', entityId: customer, providerId: theirs, origin: 'link' },
  })
  await world.drain()
  expect(await outcomeOf(created?.id ?? '')).toMatch(/^processed/)
  const { rows } = await world.pool.query(
    `select s.customer_id, v.plan_key, s.status, s.slot from mapping m join subscription s on s.id = m.entity_id
     join plan_version v on v.id = s.plan_version_id where m.provider_id = $1`,
    [made.id],
  )
  expect(rows).toEqual([{ customer_id: customer, plan_key: 'team', status: 'active', slot: 'default' }])

  // The same again changes nothing; it is listed both ways, and needed as long as something is sold under it.
  expect((await link('customer', customer, theirs)).status).toBe(201)
  for (const query of [`entityId=${customer}`, `providerId=${theirs}`]) {
    expect(await ask('GET', `/v1/mappings?${query}`)).toMatchObject({ body: { data: [body] } })
  }
  expect((await ask('DELETE', `/v1/mappings/customer/${customer}`)).said).toBe('409 mapping_in_use')
  await world.stripe.subscriptions.cancel(made.id)
  await world.deliver()
  expect(await ask('DELETE', `/v1/mappings/customer/${customer}`)).toMatchObject({ status: 200, body })
  expect((await ask('DELETE', `/v1/mappings/customer/${customer}`)).said).toBe('404 mapping_not_found')
})

test('a subscription to a product that is no plan here waits until it is linked to one in its rhythm', async () => {
  const product = await world.stripe.products.create({ name: 'Elsewhere' })
  const monthly = await world.stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 2500,
    recurring: { interval: 'month' },
  })
  const made = await subscribe(monthly.id)
  const customer = await ours('user_of_a_product')
  expect((await link('customer', customer, made.customer as string)).status).toBe(201)
  const events = await world.deliver()
  const created = events.find(({ type }) => type === 'customer.subscription.created')?.id ?? ''
  expect(await outcomeOf(created)).toBe('parked needs_mapping')
  expect((await link('plan', 'team', product.id)).status).toBe(201)
  await world.drain()
  expect(await outcomeOf(created)).toMatch(/^processed/)
  expect((await ask('DELETE', '/v1/mappings/plan/team')).said).toBe('409 mapping_in_use')

  // Another plan takes the place of the price that is paid at Stripe: it is not billed beside it.
  const { rows } = await world.pool.query('select entity_id from mapping where provider_id = $1', [made.id])
  const decide = (wish: ChangeWish) =>
    decideChange(world.deps, rows[0].entity_id, wish, { mayGivePlans: true })
  const [item] = made.items.data
  const { items, wanted } = await decide({ plan: 'business' })
  expect(items).toEqual([{ id: item?.id, price: (await published(4000)).id, quantity: 1 }])
  expect(wanted).toHaveLength(1)
  // Who stays on the plan keeps what is paid for it.
  await expect(decide({ plan: 'team' })).rejects.toMatchObject({ code: 'empty_change' })

  // With two prices of its product nobody can say which one the plan's is.
  const second = await world.stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 500,
    recurring: { interval: 'month' },
  })
  await world.stripe.subscriptionItems.create({ subscription: made.id, price: second.id })
  await world.deliver()
  await expect(decide({ plan: 'business' })).rejects.toMatchObject({ code: 'subscription_not_changeable' })
})

test('both directions are unique, and what is linked has to be there and nobody else’s', async () => {
  const { stripe } = world
  const [first, second] = [await ours('user_first'), await ours('user_second')]
  const [one, other] = [await stripe.customers.create(), await stripe.customers.create()]
  const foreign = await stripe.customers.create({ metadata: { lockstep_instance: 'instance_other' } })
  const gone = await stripe.customers.create()
  await stripe.customers.del(gone.id)
  const fee = await priceOfTeam()
  const dear = await stripe.prices.create({
    product: fee.product as string,
    currency: 'usd',
    unit_amount: 9900,
    recurring: { interval: 'month' },
  })
  const priceId = fee.metadata.lockstep_price ?? ''

  const racing = await Promise.all([link('customer', first, one.id), link('customer', second, one.id)])
  expect(new Set(racing.map(({ said }) => said))).toEqual(new Set([201, '409 mapping_exists']))
  const winner = racing[0]?.status === 201 ? first : second
  expect((await link('customer', winner, other.id)).said).toBe('409 mapping_exists')

  const free = await ours('user_free')
  expect((await link('customer', free, 'cus_nobody')).said).toBe('422 mapping_invalid')
  expect((await link('customer', free, gone.id)).said).toBe('422 mapping_invalid')
  expect((await link('customer', free, foreign.id)).said).toBe('422 mapping_invalid')
  expect((await link('customer', 'customer_nobody', other.id)).said).toBe('422 mapping_invalid')
  expect((await link('plan', 'team', other.id)).said).toBe('422 mapping_invalid')
  expect((await link('price', priceId, dear.id)).said).toBe('422 mapping_invalid')
  expect((await link('subscription', 'subscription_1', 'sub_1')).said).toBe('400 invalid_request')
})

test('what waits is looked at again when just what it lacks comes, be it a customer or a version of its plan', async () => {
  const created = async (made: Stripe.Subscription) => {
    const events = await world.deliver()
    const event = events.find(
      ({ type, data }) =>
        type === 'customer.subscription.created' && (data.object as { id: string }).id === made.id,
    )
    return event?.id ?? ''
  }
  const team = await priceOfTeam()
  const [one, other] = [await subscribe(team.id), await subscribe(team.id)]
  const lacksOne = await created(one)
  const product = await world.stripe.products.create({ name: 'By the year' })
  const yearly = await world.stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 40000,
    recurring: { interval: 'year' },
  })
  const subscribed = await subscribe(yearly.id)
  expect((await link('customer', await ours('user_yearly'), subscribed.customer as string)).status).toBe(201)
  const lacksPlan = await created(subscribed)
  const { rows } = await world.pool.query(
    `select id from provider_event where object_id = $1 and type = 'customer.subscription.created'`,
    [other.id],
  )
  const lacksOther: string = rows[0].id
  const all = async () => Promise.all([lacksOne, lacksOther, lacksPlan].map(outcomeOf))
  const [parked, waiting] = ['parked needs_mapping', 'received null']
  expect(await all()).toEqual([parked, parked, parked])
  expect(await readEvent(world.db, lacksPlan)).toMatchObject({
    problem: {
      missing: [
        { entityType: 'plan', providerId: product.id },
        { entityType: 'price', providerId: yearly.id },
      ],
    },
  })

  expect((await link('customer', await ours('user_of_one'), one.customer as string)).status).toBe(201)
  expect(await all()).toEqual([waiting, parked, parked])
  await world.drain()

  // Linked to a plan that is billed by the month only, it waits for a version in its own rhythm.
  expect((await link('plan', 'business', product.id)).status).toBe(201)
  expect(await outcomeOf(lacksPlan)).toBe(waiting)
  await world.drain()
  expect(await outcomeOf(lacksPlan)).toBe(parked)
  expect((await link('customer', await ours('user_of_other'), other.customer as string)).status).toBe(201)
  expect([await outcomeOf(lacksOther), await outcomeOf(lacksPlan)]).toEqual([waiting, parked])

  await applyCatalog({ ...world.deps, workflows: world.workflows }, catalog('year'))
  await world.drain()
  for (const id of [lacksOne, lacksOther, lacksPlan]) expect(await outcomeOf(id)).toMatch(/^processed/)
  const { rows: plans } = await world.pool.query(
    `select v.plan_key, v.interval from mapping m join subscription s on s.id = m.entity_id
     join plan_version v on v.id = s.plan_version_id where m.provider_id = $1`,
    [subscribed.id],
  )
  expect(plans).toEqual([{ plan_key: 'business', interval: 'year' }])
})

test('the links of an add-on, and of a product that only a price is of, are needed while they are sold', async () => {
  const { rows } = await world.pool.query(
    `select id from price where addon_version_id is not null or product_key = 'seats' order by product_key`,
  )
  const [each, seat] = rows.map(({ id }: { id: string }) => id)
  const links = ['product/backups', `price/${each}`, 'product/seats', `price/${seat}`]
  const payer = await world.register('seated', '2026-01-10T00:00:00Z', {
    addons: [{ addon: 'backups', quantity: 2 }],
  })
  for (const one of links) {
    expect([one, (await ask('DELETE', `/v1/mappings/${one}`)).said]).toEqual([one, '409 mapping_in_use'])
  }
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  for (const one of links)
    expect([one, (await ask('DELETE', `/v1/mappings/${one}`)).said]).toEqual([one, 200])
})

test('events are found by kind, outcome and time, and replayed: shown first, then done', async () => {
  world.wall.time += 1000
  const from = new Date(world.wall.time * 1000).toISOString()
  const payer = await world.register('team', '2026-01-10T00:00:00Z')
  await world.deliver()
  const found = await ask('GET', `/v1/provider-events?receivedFrom=${from}&outcome=recorded`)
  const rows = found.body.data as { type: string; outcome: string }[]
  expect(rows.length).toBeGreaterThan(0)
  expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(['recorded']))
  expect(await ask('GET', `/v1/provider-events?receivedBefore=2020-01-01T00:00:00Z`)).toMatchObject({
    body: { data: [] },
  })
  expect((await ask('GET', '/v1/provider-events?receivedFrom=yesterday')).status).toBe(400)

  const filter = { object: payer.subscription, receivedFrom: from }
  const shown = await ask('POST', '/v1/provider-event-replays', filter)
  expect(shown).toMatchObject({ status: 200, body: { dryRun: true, objects: 1 } })
  expect(await world.requests(() => world.drain())).toEqual([])
  const done = await ask('POST', '/v1/provider-event-replays', { ...filter, dryRun: false })
  expect(done.body).toEqual({ ...shown.body, dryRun: false })
  const { rows: waiting } = await world.pool.query(
    `select count(*)::int as events from provider_event where state = 'received' and object_id = $1`,
    [payer.subscription],
  )
  expect(waiting).toEqual([{ events: shown.body.events }])
  // However many there are: the object is looked at once, if at all.
  const calls = await world.requests(() => world.drain())
  expect(calls.length).toBeLessThanOrEqual(1)
  const after = await ask('POST', '/v1/provider-event-replays', { ...filter, state: 'processed' })
  expect(after.body).toEqual(shown.body)
  expect((await ask('POST', '/v1/provider-event-replays', { dryRun: false })).said).toBe(
    '400 invalid_request',
  )
})

test('what lacks a link after an outage beyond all events is counted, and comes in when it is linked and changed', async () => {
  const sweep = () => sweepEvents({ ...world.deps, nudge: () => {} }, { dryRun: false })
  await sweep()
  const { id, customer, created } = await subscribe((await priceOfTeam()).id)
  // Stripe keeps none of its events any more.
  await world.pool.query(
    `insert into provider_event (provider, id, type, object_type, object_id, created, livemode, payload, state,
       next_attempt_at, received_at, processed_at)
     select 'stripe', id, 'forgotten', '', '', now(), false, '{}', 'ignored', now(), now(), now()
     from unnest($1::text[]) as t (id) on conflict do nothing`,
    [(await world.newEvents()).map((event) => event.id)],
  )
  await world.pool.query('update event_sweep set newest_event = null, swept_to = to_timestamp($1)', [created])
  world.wall.time = created + 40 * 86_400
  const done = await sweep()
  expect(done).toMatchObject({ isBeyond: true, missed: 0 })
  expect(done.objects?.failed).toBeGreaterThan(0)
  const { rows } = await world.pool.query('select swept_to as at from event_sweep')
  expect(rows).toEqual([{ at: world.wall.time }])

  expect((await link('customer', await ours('user_of_outage'), customer as string)).status).toBe(201)
  await world.stripe.subscriptions.update(id, { metadata: { looked: 'again' } })
  await world.deliver()
  const found = await ask('GET', `/v1/mappings?providerId=${id}`)
  expect(found).toMatchObject({ body: { data: [{ entityType: 'subscription', origin: 'webhook' }] } })
})

test('objects answer with the links that the list of links has, where they are asked for', async () => {
  const customer = await ours('user_expanded')
  const unlinked = await ask('GET', `/v1/customers/${customer}?expand=mappings`)
  expect(unlinked.body.mappings).toEqual([])
  const theirs = await world.stripe.customers.create({ name: 'Expanded' })
  await link('customer', customer, theirs.id)

  for (const [type, path] of [
    ['customer', '/v1/customers'],
    ['plan', '/v1/plans'],
    ['subscription', '/v1/subscriptions'],
  ] as const) {
    const listed = await ask('GET', `/v1/mappings?entityType=${type}&limit=100`)
    const links = listed.body.data as { entityId: string }[]
    const { body: all } = await ask('GET', `${path}?expand=mappings&limit=100`)
    const objects = all.data as { id?: string; key?: string; mappings: object[] }[]
    expect(objects.length).toBeGreaterThan(0)
    for (const object of objects) {
      const id = object.id ?? object.key ?? ''
      expect(object.mappings).toEqual(links.filter(({ entityId }) => entityId === id))
      expect((await ask('GET', `${path}/${id}?expand=mappings`)).body.mappings).toEqual(object.mappings)
    }
    expect(objects.flatMap(({ mappings }) => mappings).length).toBeGreaterThan(0)
    const { body: plain } = await ask('GET', path)
    expect((plain.data as object[])[0]).not.toHaveProperty('mappings')
  }
  expect((await ask('GET', `/v1/customers/${customer}?expand=contracts`)).said).toBe('400 invalid_request')
})
