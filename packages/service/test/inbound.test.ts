import { defineCatalog } from '@lockstep/core/catalog'
import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seeded } from '../../../test/support/random.ts'
import { newId } from '../src/ids.ts'
import { sweepEvents } from '../src/inbox/sweep.ts'
import { eraseWhatCameLater } from '../src/jobs/erase-again.ts'
import { newHolder } from '../src/postgres/presence.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { addCustomer, changeProfile, findCustomer, readProfile } from '../src/store/customers.ts'
import { link } from '../src/store/mappings.ts'
import { readEvent } from '../src/store/provider-events.ts'
import { admitCustomer } from '../src/workflow/admit/customer.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { tellProvider } from '../src/workflow/change-customer.ts'
import { eraseCustomer } from '../src/workflow/erase-customer.ts'
import type { BillingWorld } from './support/billing-world.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { patient } from './support/patient.ts'

let world: BillingWorld
beforeAll(async () => {
  world = await newInboundWorld()
})
afterAll(() => world.close())

const outcome = async ({ id }: { id: string }) => {
  const row = await readEvent(world.db, id)
  return row && `${row.state} ${row.outcome}`
}

async function customerOf(providerId: string) {
  const { rows } = await world.pool.query(
    `select c.external_id, p.name, p.email, m.origin, c.id from mapping m join customer c on c.id = m.entity_id
     left join customer_profile p on p.customer_id = c.id where m.entity_type = 'customer' and m.provider_id = $1`,
    [providerId],
  )
  return rows
}

/** The versions of a plan in a line each: rhythm, currency, prices. */
async function plansOf(product: string): Promise<string[]> {
  const { rows } = await world.pool.query(
    `select p.key, p.archived_at is not null as archived, v.version, v.name, v.interval, v.interval_count, v.currency,
       (select string_agg(r.definition->>'ratePicos', ',') from price r where r.plan_version_id = v.id) as rates
     from mapping m join plan p on p.key = m.entity_id left join plan_version v on v.plan_key = p.key
     where m.entity_type = 'plan' and m.provider_id = $1 order by v.version`,
    [product],
  )
  return rows.map((row) =>
    row.version === null
      ? `${row.key} empty${row.archived ? ' archived' : ''}`
      : `${row.key}${row.archived ? ' archived' : ''} ${row.version}: ${row.interval_count} ${row.interval} ${row.currency} ${row.rates}`,
  )
}

async function subscriptionOf(providerId: string) {
  const { rows } = await world.pool.query(
    `select s.status, s.slot, s.quantity::int, v.plan_key, v.version::int, s.cancel_at_period_end, s.id,
       s.billing_cycle_anchor
     from mapping m join subscription s on s.id = m.entity_id join plan_version v on v.id = s.plan_version_id
     where m.entity_type = 'subscription' and m.provider_id = $1`,
    [providerId],
  )
  return rows
}

async function buyer(name: string): Promise<Stripe.Customer> {
  const customer = await world.stripe.customers.create({ name, email: `${name}@example.org` })
  await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id }).then((method) =>
    world.stripe.customers.update(customer.id, {
      invoice_settings: { default_payment_method: method.id },
    }),
  )
  return customer
}

const idIn = ({ object }: Stripe.Event.Data) => ('id' in object ? object.id : undefined)

const product = (name: string) => world.stripe.products.create({ name })

const price = (of: Stripe.Product, unitAmount: number, more: Partial<Stripe.PriceCreateParams> = {}) =>
  world.stripe.prices.create({
    product: of.id,
    currency: 'usd',
    unit_amount: unitAmount,
    recurring: { interval: 'month' },
    ...more,
  })

describe('a customer', () => {
  test('is made here, once, under its own id at Stripe; it is called here what it is called there', async () => {
    const made = await world.stripe.customers.create({ name: 'Ada', email: 'ada@example.org' })
    const [event] = (await world.newEvents()).filter(({ type }) => type === 'customer.created')
    if (!event) throw new Error('No event.')
    await Promise.all(Array.from({ length: 10 }, () => world.receive(event)))
    await Promise.all([world.drain(), world.drain(), world.drain()])
    expect(await outcome(event)).toBe('processed applied')
    expect(await customerOf(made.id)).toMatchObject([
      { external_id: made.id, name: 'Ada', email: 'ada@example.org', origin: 'webhook' },
    ])
    await world.stripe.customers.update(made.id, { name: 'Ada King', email: '' })
    await world.deliver()
    expect(await customerOf(made.id)).toMatchObject([{ name: 'Ada King', email: null }])
  })

  test('whose metadata name a user of ours is that one, and nobody is found by an e-mail address', async () => {
    const named = await world.stripe.customers.create({
      email: 'grace@example.org',
      metadata: { lockstep_external_id: 'user_grace' },
    })
    await world.deliver()
    const same = await world.stripe.customers.create({ email: 'grace@example.org' })
    const twice = await world.stripe.customers.create({ metadata: { lockstep_external_id: 'user_grace' } })
    await world.deliver()
    expect(await customerOf(named.id)).toMatchObject([{ external_id: 'user_grace' }])
    expect(await customerOf(same.id)).toMatchObject([{ external_id: same.id }])
    // Linked already: the second one is somebody else until a person says otherwise.
    expect(await customerOf(twice.id)).toMatchObject([{ external_id: twice.id }])
  })

  test('who is two there at the same moment is first one and then another, and none is lost', async () => {
    const ours = { id: newId('customer'), externalId: 'user_emmy', name: 'Emmy', email: null }
    await transaction(world.db, (trx) =>
      addCustomer(trx, { ...ours, testClockId: null, at: world.wall.time }),
    )
    const metadata = { lockstep_external_id: 'user_emmy' }
    const [first, second] = [
      await world.stripe.customers.create({ metadata }),
      await world.stripe.customers.create({ metadata }),
    ]
    const admitted = await transaction(world.db, async (trx) => {
      const { id: entityId } = ours
      const link1 = {
        entityType: 'customer',
        entityId,
        providerType: 'customer',
        providerId: first.id,
      } as const
      await link(trx, world.deps.provider, { ...link1, origin: 'link', at: world.wall.time })
      // It sees a customer that is linked to nobody, and waits for what becomes of this link.
      const admitted = admitCustomer(world.deps, second).then(() => 'taken up', String)
      // In this database: those of other files are on the same server.
      const waiting = async () =>
        (
          await world.pool.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).rowCount
      await expect.poll(waiting, { timeout: 200_000, interval: 20 }).toBeGreaterThan(0)
      return { admitted }
    })
    expect(await admitted.admitted).toContain(`was linked to ${first.id}`)
    expect(await customerOf(second.id)).toEqual([])

    await admitCustomer(world.deps, second)
    expect(await customerOf(first.id)).toMatchObject([{ external_id: 'user_emmy' }])
    expect(await customerOf(second.id)).toMatchObject([{ external_id: second.id }])
  })

  test('whose event was put back, with less in it, is told of by what stands in the inbox and not by what came', async () => {
    await world.drain()
    const made = await world.stripe.customers.create({ name: 'Came' })
    for (const event of await world.newEvents()) await world.receive(event)
    await world.pool.query(
      `update provider_event set payload = jsonb_set(payload, '{data,object,name}', '"Stands"'),
         observation = nextval('observation_counter') where object_id = $1`,
      [made.id],
    )
    await world.drain()
    expect(await customerOf(made.id)).toMatchObject([{ name: 'Stands' }])
  })

  test('who was here before keeps the name and the address that it has here', async () => {
    const nobody = { testClockId: null, at: world.wall.time }
    const ours = { id: newId('customer'), externalId: 'user_hedy', name: 'Hedy', email: 'hedy@example.org' }
    await transaction(world.db, (trx) => addCustomer(trx, { ...ours, ...nobody }))
    const made = await world.stripe.customers.create({
      name: 'H. Lamarr',
      metadata: { lockstep_external_id: 'user_hedy' },
    })
    await world.deliver()
    await world.stripe.customers.update(made.id, { name: '', email: 'lamarr@example.org' })
    await world.deliver()
    expect(await customerOf(made.id)).toMatchObject([
      { id: ours.id, external_id: 'user_hedy', name: 'Hedy', email: 'hedy@example.org', origin: 'link' },
    ])
  })

  test('whose name is changed here is not called back by what waited, here or at Stripe', async () => {
    const made = await world.stripe.customers.create({ name: 'A' })
    await world.deliver()
    const [{ id: customerId }] = await customerOf(made.id)
    await world.stripe.customers.update(made.id, { metadata: { seen: 'late' } })
    // Nobody tells Stripe yet.
    const telling = { id: newId('workflow'), holder: newHolder() }
    await transaction(world.db, async (trx) => {
      await changeProfile(trx, customerId, { name: 'B' })
      await tellProvider(trx, { ...telling, customerId, at: world.wall.time })
    })
    await world.deliver()
    expect(await customerOf(made.id)).toMatchObject([{ name: 'B' }])
    world.workflows.begin(telling.id, telling.holder)
    expect(await world.workflows.settled(telling.id, 30)).toMatchObject({ state: 'completed' })
    await world.deliver()
    expect(await customerOf(made.id)).toMatchObject([{ name: 'B' }])
    expect(await world.stripe.customers.retrieve(made.id)).toMatchObject({ name: 'B' })
    // Told, it is called here what it is called there again.
    await world.stripe.customers.update(made.id, { name: 'C' })
    await world.deliver()
    expect(await customerOf(made.id)).toMatchObject([{ name: 'C' }])
  })

  test('that was erased stays it, whatever is told late and after it', async () => {
    const made = await world.stripe.customers.create({ name: 'Forgotten', email: 'forgotten@example.org' })
    await world.deliver()
    await world.stripe.customers.update(made.id, { name: 'Forgotten Again' })
    const [{ external_id: externalId }] = await customerOf(made.id)
    const customer = await findCustomer(world.db, externalId)
    if (!customer) throw new Error('Not taken up.')
    expect(
      await eraseCustomer({ ...world.deps, workflows: patient(world.workflows) }, customer, {
        dryRun: false,
      }),
    ).toMatchObject({ provider: 'told' })
    await world.deliver()
    await world.stripe.customers.update(made.id, { metadata: { seen: 'later' } })
    await world.deliver()
    expect(await readProfile(world.db, customer.id)).toBeUndefined()
    expect(await world.stripe.customers.retrieve(made.id)).toMatchObject({ name: null, email: null })
    // The nightly job still knows whom to forget.
    await eraseWhatCameLater(world.deps)
    for (const table of ['provider_event', 'provider_object', 'customer_profile', 'outgoing_event']) {
      const { rows } = await world.pool.query(`select 1 from ${table} t where t::text ilike '%forgotten%'`)
      expect([table, rows]).toEqual([table, []])
    }
  })

  test('that is deleted is kept, marked, and linked to nothing', async () => {
    const made = await world.stripe.customers.create({ name: 'Gone' })
    await world.deliver()
    const [{ id }] = await customerOf(made.id)
    await world.stripe.customers.del(made.id)
    await world.deliver()
    expect(await customerOf(made.id)).toEqual([])
    const deletedAt = async () =>
      (await world.pool.query('select deleted_at_provider as at from customer where id = $1', [id])).rows[0]
        .at
    expect(await deletedAt()).not.toBeNull()
    const other = await world.stripe.customers.create({ metadata: { lockstep_instance: 'instance_other' } })
    const wanted = {
      entityType: 'customer',
      entityId: id,
      providerType: 'customer',
      providerId: other.id,
    } as const
    await link(world.db, world.deps.provider, { ...wanted, origin: 'link', at: world.wall.time })
    expect(await deletedAt()).toBeNull()
  })

  test('that is deleted before it was heard of is not made by what is told late', async () => {
    const made = await world.stripe.customers.create({ name: 'Brief' })
    await world.stripe.customers.update(made.id, { name: 'Briefer' })
    await world.stripe.customers.del(made.id)
    for (const event of (await world.newEvents()).toReversed()) {
      await world.receive(event)
      await world.drain()
    }
    expect(await customerOf(made.id)).toEqual([])
  })

  test("of another installation is not made here, nor is one that carries ours and isn't known", async () => {
    const foreign = await world.stripe.customers.create({ metadata: { lockstep_instance: 'instance_other' } })
    const lost = await world.stripe.customers.create({
      metadata: { lockstep_instance: world.deps.provider.instance, lockstep_customer: 'customer_lost' },
    })
    const events = await world.deliver()
    expect(new Set(await Promise.all(events.map(outcome)))).toEqual(new Set(['ignored foreign']))
    expect(await customerOf(foreign.id)).toEqual([])
    expect(await customerOf(lost.id)).toEqual([])
  })
})

describe('a product', () => {
  test('is an empty plan, which its prices give a rhythm; a second price is a second version', async () => {
    const made = await product('Pro Plan')
    await world.deliver()
    expect(await plansOf(made.id)).toEqual(['pro-plan empty'])
    await price(made, 2000)
    await world.deliver()
    // 20.00 USD a month: 2000 cents, in 1e-12 of a cent.
    expect(await plansOf(made.id)).toEqual(['pro-plan 1: 1 month usd 2000000000000000'])
    await price(made, 5400, { recurring: { interval: 'month', interval_count: 3 } })
    await world.deliver()
    expect(await plansOf(made.id)).toEqual([
      'pro-plan 1: 1 month usd 2000000000000000',
      'pro-plan 2: 3 month usd 5400000000000000',
    ])
  })

  test('in any order: the price before its product', async () => {
    const made = await product('Backwards')
    await price(made, 100)
    await price(made, 200)
    for (const event of (await world.newEvents()).toReversed()) {
      await world.receive(event)
      await world.drain()
    }
    expect(await plansOf(made.id)).toEqual([
      'backwards 1: 1 month usd 100000000000000',
      'backwards 2: 1 month usd 200000000000000',
    ])
  })

  test('with the name of another gets a key of its own; one without letters gets one too', async () => {
    const [first, second, third] = [await product('Twin'), await product('Twin'), await product('大')]
    await world.deliver()
    const twins = [...(await plansOf(first.id)), ...(await plansOf(second.id))]
    expect(new Set(twins)).toEqual(new Set(['twin empty', 'twin-2 empty']))
    expect(await plansOf(third.id)).toEqual(['plan empty'])
  })

  test('that is taken off sale is archived, and forgotten if it is deleted unsold', async () => {
    const made = await product('Short-lived')
    await world.deliver()
    await world.stripe.products.update(made.id, { active: false })
    await world.deliver()
    expect(await plansOf(made.id)).toEqual(['short-lived empty archived'])
    await world.stripe.products.update(made.id, { active: true })
    await world.deliver()
    expect(await plansOf(made.id)).toEqual(['short-lived empty'])
    await world.stripe.products.del(made.id)
    await world.deliver()
    expect(await plansOf(made.id)).toEqual([])
    const { rows } = await world.pool.query(`select 1 from product where key = 'short-lived'`)
    expect(rows).toEqual([])
  })
})

describe('a subscription', () => {
  test('arrives whole with everything it belongs to, whatever comes first', async () => {
    const random = seeded(7)
    const made = await product('Team')
    const threeMonths = await price(made, 1200, { recurring: { interval: 'month', interval_count: 3 } })
    const customer = await buyer('team')
    const subscription = await world.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: threeMonths.id, quantity: 4 }],
    })
    for (const event of random.shuffle(await world.newEvents())) {
      await world.receive(event)
      await world.drain()
    }
    expect(await subscriptionOf(subscription.id)).toMatchObject([
      { status: 'active', slot: 'default', quantity: 4, plan_key: 'team', version: 1 },
    ])
    const { rows } = await world.pool.query(
      `select h.cause, h.fee::text from subscription_history h join mapping m on m.entity_id = h.subscription_id
       where m.provider_id = $1`,
      [subscription.id],
    )
    // Four times 12.00.
    expect(rows[0]).toEqual({ cause: 'provider', fee: '4800' })
    const invoices = await world.pool.query(
      `select i.status, i.total::text from invoice i join mapping m on m.entity_id = i.subscription_id
       where m.provider_id = $1 order by i.status`,
      [subscription.id],
    )
    expect(invoices.rows).toEqual([
      { status: 'current', total: null },
      { status: 'paid', total: '4800' },
    ])
  })

  test('is met behind its invoice, and neither it nor its customer is fetched while what tells of them waits', async () => {
    const made = await product('Met late')
    const monthly = await price(made, 700)
    const customer = await world.stripe.customers.create({ name: 'late', payment_method: 'pm_card_visa' })
    const [card] = (await world.stripe.paymentMethods.list({ customer: customer.id })).data
    const subscription = await world.stripe.subscriptions.create({
      ...{ customer: customer.id, items: [{ price: monthly.id }], default_payment_method: card?.id ?? '' },
    })
    const another = await world.stripe.customers.create({ name: 'another' })
    const events = await world.newEvents()
    const paid = events.find(({ type }) => type === 'invoice.paid')
    const first = events.find(({ type, data }) => type === 'customer.created' && idIn(data) === another.id)
    const kinds = ['product.created', 'price.created', 'customer.created', 'customer.subscription.created']
    const before = events.filter((event) => kinds.includes(event.type) && event !== first)
    expect(before.map(({ type }) => type).sort()).toEqual(kinds.toSorted())
    const calls = await world.requests(async () => {
      // With the invoice, as many as one round looks through. What it belongs to stands behind them.
      const many = Array.from({ length: 199 }, (_, i) => ({ ...first, id: `evt_crowd_${i}` }))
      for (const event of [paid ?? {}, ...many]) await world.receive(event)
      await world.pool.query(
        `update provider_event set next_attempt_at = next_attempt_at - interval '1 second' where state = 'received'`,
      )
      for (const event of before) await world.receive(event)
      await world.drain()
    })
    // The crowd is of one second. What a new product costs is not said by the event that tells of it.
    expect(calls.sort()).toEqual(['GET /v1/customers/:id', 'GET /v1/prices'])
    expect(await subscriptionOf(subscription.id)).toMatchObject([{ status: 'active', slot: 'default' }])
    const told = [...before, paid ?? { id: '' }]
    expect(await Promise.all(told.map(outcome))).toEqual(told.map(() => 'processed applied'))
  })

  test('that is upgraded keeps its id and its anchor, and is over when it is canceled', async () => {
    const [basic, pro] = [await product('Basic'), await product('Professional')]
    const [low, high] = [await price(basic, 1000), await price(pro, 3000)]
    const customer = await buyer('climber')
    const { id, items } = await world.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: low.id }],
    })
    await world.deliver()
    const [before] = await subscriptionOf(id)
    await world.stripe.subscriptions.update(id, {
      items: [{ id: items.data[0]?.id ?? '', price: high.id }],
      cancel_at_period_end: true,
    })
    await world.deliver()
    const [after] = await subscriptionOf(id)
    expect(before).toMatchObject({ plan_key: 'basic' })
    expect(after).toMatchObject({
      id: before.id,
      plan_key: 'professional',
      cancel_at_period_end: true,
      billing_cycle_anchor: before.billing_cycle_anchor,
    })
    await world.stripe.subscriptions.cancel(id)
    await world.deliver()
    expect(await subscriptionOf(id)).toMatchObject([{ status: 'canceled' }])
  })

  test('of two plans is on the one of its first item, and is not put before anybody', async () => {
    const [base, seats] = [await product('Base'), await product('Seats')]
    const [first, second] = [await price(base, 1000), await price(seats, 300)]
    const customer = await buyer('both')
    const { id } = await world.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: first.id }, { price: second.id, quantity: 2 }],
    })
    await world.deliver()
    // One of Base; the two are seats.
    expect(await subscriptionOf(id)).toMatchObject([{ status: 'active', plan_key: 'base', quantity: 1 }])
  })

  test('a second live one of the same customer is mirrored without a slot', async () => {
    const monthly = await price(await product('Solo'), 900)
    const customer = await buyer('twice')
    const create = () =>
      world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: monthly.id }] })
    const [first, second] = [await create(), await create()]
    await world.deliver()
    const slots = [...(await subscriptionOf(first.id)), ...(await subscriptionOf(second.id))].map(
      ({ slot }) => slot,
    )
    expect(slots).toHaveLength(2)
    expect(new Set(slots)).toEqual(new Set(['default', null]))
  })
})

/** The plan of a product at Stripe, with the fee that stands there and usage beside it. */
const completed = (rate: string, key = 'metered-cloud', meter = 'seconds') =>
  defineCatalog({
    currency: 'usd',
    products: { [key]: { name: 'Metered cloud' } },
    meters: { [meter]: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
    plans: {
      [key]: {
        name: 'Metered cloud',
        product: key,
        interval: 'month',
        prices: {
          fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
          compute: { meter, product: key, model: 'perUnit', unitAmount: rate },
        },
      },
    },
  })

test('made at Stripe, completed here: usage is sent here, and one invoice at Stripe carries both', async () => {
  const made = await product('Metered cloud')
  const fee = await price(made, 2000)
  const clock = await world.stripe.testHelpers.testClocks.create({ frozen_time: 1_770_000_000 })
  const customer = await world.stripe.customers.create({ test_clock: clock.id, name: 'Linus' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const charged = { invoice_settings: { default_payment_method: method.id } }
  await world.stripe.customers.update(customer.id, charged)
  await world.deliver()
  await applyCatalog({ ...world.deps, workflows: world.workflows }, completed('0.01'))
  // Nothing was made at Stripe for it: what it costs stood there already.
  const prices = await world.stripe.prices.list({ product: made.id })
  expect(prices.data.map(({ id }) => id)).toEqual([fee.id])

  const { id } = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: fee.id }],
  })
  await world.deliver()
  const [subscription] = await subscriptionOf(id)
  expect(subscription).toMatchObject({ plan_key: 'metered-cloud', version: 2 })
  const [ours] = await customerOf(customer.id)
  const payer = {
    externalId: ours.external_id,
    customerId: ours.id,
    subscriptionId: subscription.id,
    customer: customer.id,
    subscription: id,
    testClock: clock.id,
  }
  await world.turn(payer, '2026-02-10T00:00:00Z')
  await world.deliver()
  await world.use(payer, '150', '2026-02-05T00:00:00Z')
  await world.turn(payer, '2026-03-02T03:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-03-02T06:00:00Z')
  await world.deliver()
  const last = (await world.atStripe(payer)).at(-1)
  expect(last?.lines).toHaveLength(2)
  // 20.00 in advance and 150 seconds at 0.01.
  expect(last?.invoice).toMatchObject({ status: 'paid', total: 2150 })

  // Dearer seconds are a new version; who is on the one before keeps it, though the fee is the same.
  await applyCatalog({ ...world.deps, workflows: world.workflows }, completed('0.02'))
  await world.stripe.subscriptions.update(id, { metadata: { seen: 'again' } })
  await world.deliver()
  expect(await subscriptionOf(id)).toMatchObject([{ plan_key: 'metered-cloud', version: 2 }])

  // Usage is the customer's: a second subscription that bills the same meter waits for a person.
  const second = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: fee.id }],
  })
  const created = (await world.deliver()).find(({ type }) => type === 'customer.subscription.created')
  expect(await readEvent(world.db, created?.id ?? '')).toMatchObject({
    state: 'parked',
    problem: { code: 'meter_billed_already' },
  })
  expect(await subscriptionOf(second.id)).toEqual([])
})

test('made at Stripe by the year, with an interval of a month: usage is billed by the month here', async () => {
  const made = await product('Yearly cloud')
  const fee = await price(made, 12_000, { recurring: { interval: 'year' } })
  const clock = await world.stripe.testHelpers.testClocks.create({ frozen_time: 1_770_000_000 })
  const customer = await world.stripe.customers.create({ test_clock: clock.id, name: 'Grace' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const charged = { invoice_settings: { default_payment_method: method.id } }
  await world.stripe.customers.update(customer.id, charged)
  await world.deliver()
  const prices = {
    fee: { kind: 'recurring', model: 'flat', amount: '120.00' },
    compute: { meter: 'year_seconds', product: 'yearly-cloud', model: 'perUnit', unitAmount: '0.01' },
  } as const
  const yearly = defineCatalog({
    currency: 'usd',
    products: { 'yearly-cloud': { name: 'Yearly cloud' } },
    meters: { year_seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
    plans: {
      'yearly-cloud': {
        name: 'Yearly cloud',
        product: 'yearly-cloud',
        interval: 'year',
        usageInterval: 'month',
        prices,
      },
    },
  })
  await applyCatalog({ ...world.deps, workflows: world.workflows }, yearly)
  const { id } = await world.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: fee.id }],
    pending_invoice_item_interval: { interval: 'month' },
  })
  await world.deliver()
  const [subscription] = await subscriptionOf(id)
  const [ours] = await customerOf(customer.id)
  const payer = {
    externalId: ours.external_id,
    customerId: ours.id,
    subscriptionId: subscription.id,
    customer: customer.id,
    subscription: id,
    testClock: clock.id,
  }
  // From 2 February on.
  await world.turn(payer, '2026-02-10T00:00:00Z')
  await world.deliver()
  await world.use(payer, '150', '2026-02-05T00:00:00Z', 'year_seconds')
  await world.sync(payer)
  await world.turn(payer, '2026-03-02T03:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-03-02T06:00:00Z')
  await world.deliver()
  const invoices = await world.atStripe(payer)
  expect(invoices.map(({ invoice }) => [invoice.billing_reason, invoice.status, invoice.total])).toEqual([
    ['subscription_create', 'paid', 12_000],
    ['automatic_pending_invoice_item_invoice', 'paid', 150],
  ])
  expect((await world.story(payer)).slice(1)).toEqual([
    '2026-02-02 … 2026-03-02 subscription_cycle paid 150',
    '2026-03-02 … 2026-04-02 subscription_cycle current -',
  ])
})

test('of two subscriptions to a plan that gets a meter, one bills it; the other does when that one is over', async () => {
  const made = await product('Double')
  const fee = await price(made, 2000)
  const customer = await buyer('double')
  const create = () =>
    world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
  const both = [await create(), await create()]
  await world.deliver()
  await applyCatalog({ ...world.deps, workflows: world.workflows }, completed('0.01', 'double', 'calls'))
  const seeAgain = async (seen: string) => {
    for (const { id } of both) await world.stripe.subscriptions.update(id, { metadata: { seen } })
    await world.deliver()
    return (await Promise.all(both.map(({ id }) => subscriptionOf(id)))).flat()
  }
  const versions = (await seeAgain('first')).map(({ version }) => version)
  expect(new Set(versions)).toEqual(new Set([1, 2]))

  const metered = both[(await seeAgain('still')).findIndex(({ version }) => version === 2)]
  const other = both.find(({ id }) => id !== metered?.id)
  await world.stripe.subscriptions.cancel(metered?.id ?? '')
  await world.deliver()
  await world.stripe.subscriptions.update(other?.id ?? '', { metadata: { seen: 'last' } })
  await world.deliver()
  expect(await subscriptionOf(other?.id ?? '')).toMatchObject([{ status: 'active', version: 2 }])
})

test('a thin event, and one of an older version: the object is fetched', async () => {
  const made = await world.stripe.customers.create({ name: 'Thin' })
  await world.newEvents()
  const thin = {
    id: 'evt_thin_customer',
    object: 'v2.core.event',
    type: 'v1.customer.created',
    created: '2026-01-01T00:00:00.000Z',
    livemode: false,
    related_object: { id: made.id, type: 'customer', url: `/v1/customers/${made.id}` },
  }
  await world.receive(thin)
  await world.drain()
  expect(await outcome(thin)).toBe('processed fetched')
  expect(await customerOf(made.id)).toMatchObject([{ name: 'Thin' }])

  const old = await world.stripe.customers.create({ name: 'Old' })
  const [event] = (await world.newEvents()).filter(({ type }) => type === 'customer.created')
  if (!event) throw new Error('No event.')
  await world.receive({ ...event, api_version: '2020-08-27' })
  await world.drain()
  expect(await outcome(event)).toBe('processed fetched')
  expect(await customerOf(old.id)).toMatchObject([{ name: 'Old' }])
})

describe('an outage that is longer than Stripe keeps its events', () => {
  // Every object is read: so there are no others.
  beforeAll(async () => {
    await world.close()
    world = await newInboundWorld()
  })

  const sweep = () => sweepEvents({ ...world.deps, nudge: () => {} }, { dryRun: false })

  /** Stripe keeps none of the events that were not delivered so far, and 40 days are gone since `sweptTo`. */
  async function forget(sweptTo: number): Promise<void> {
    await world.pool.query(
      `insert into provider_event (provider, id, type, object_type, object_id, created, livemode, payload, state,
         next_attempt_at, received_at, processed_at)
       select 'stripe', id, 'forgotten', '', '', now(), false, '{}', 'ignored', now(), now(), now()
       from unnest($1::text[]) as t (id)`,
      [(await world.newEvents()).map(({ id }) => id)],
    )
    await world.pool.query('update event_sweep set newest_event = null, swept_to = to_timestamp($1)', [
      sweptTo,
    ])
    world.wall.time = sweptTo + 40 * 86_400
  }

  test('what was made meanwhile is taken up with all that it belongs to, once', async () => {
    const before = await product('Before the outage')
    await world.deliver()
    await sweep()
    await price(before, 700)
    await price(before, 800)
    const fresh = await product('Made meanwhile')
    const fee = await price(fresh, 1500)
    const customer = await buyer('meanwhile')
    const items = [{ price: fee.id, quantity: 2 }]
    const { id } = await world.stripe.subscriptions.create({ customer: customer.id, items })
    const foreign = await world.stripe.customers.create({ metadata: { lockstep_instance: 'instance_other' } })
    await forget(before.created)

    expect(await sweep()).toMatchObject({ isBeyond: true, missed: 0, objects: { failed: 0 } })
    expect(await plansOf(before.id)).toEqual([
      'before-the-outage 1: 1 month usd 700000000000000',
      'before-the-outage 2: 1 month usd 800000000000000',
    ])
    expect(await plansOf(fresh.id)).toEqual(['made-meanwhile 1: 1 month usd 1500000000000000'])
    expect(await customerOf(customer.id)).toMatchObject([{ name: 'meanwhile' }])
    expect(await subscriptionOf(id)).toMatchObject([
      { status: 'active', plan_key: 'made-meanwhile', quantity: 2 },
    ])
    expect(await customerOf(foreign.id)).toEqual([])
    const invoices = await world.pool.query(
      `select i.total::text from invoice i join mapping m on m.entity_id = i.subscription_id
       where m.provider_id = $1 and i.status = 'paid'`,
      [id],
    )
    expect(invoices.rows).toEqual([{ total: '3000' }])

    const made = async () =>
      (
        await world.pool.query(`select (select count(*) from mapping)::int as links,
          (select count(*) from plan_version)::int as versions, (select count(*) from customer)::int as customers`)
      ).rows
    const once = await made()
    await forget(before.created)
    expect(await sweep()).toMatchObject({ isBeyond: true, objects: { changed: 0, failed: 0 } })
    expect(await made()).toEqual(once)
  })

  test('what was there before it, and was not taken up then, is not taken up now', async () => {
    const { id, created } = await world.stripe.customers.create({ name: 'Of old' })
    // Two hours before the last sweep are looked at once more.
    await forget(created + 3 * 3600)
    expect(await sweep()).toMatchObject({ isBeyond: true })
    expect(await customerOf(id)).toEqual([])
  })
})
