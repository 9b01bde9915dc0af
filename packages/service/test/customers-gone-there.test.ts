import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { linkByHand, unlinkByHand } from '../src/workflow/link-by-hand.ts'
import { lookAt } from '../src/workflow/look.ts'
import { type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

const driftOf = async ({ deps }: BillingWorld) =>
  (await findDrift(deps)).drifts.map(
    ({ entity, kind, cause, repair }) => `${entity} ${kind} ${cause} ${repair ?? 'none'}`,
  )

describe('a customer who is deleted at Stripe', async () => {
  const world = await shared(newBillingWorld())
  const sql = async (text: string, values: unknown[] = []) => (await world.pool.query(text, values)).rows

  async function standing({ customerId, subscriptionId }: Payer) {
    const [row] = await sql(
      `select s.status, c.deleted_at_provider is not null as marked,
         exists (select from mapping m where m.entity_id = c.id and m.entity_type = 'customer') as linked,
         exists (select from subscription_slot t where t.subscription_id = s.id) as slot
       from subscription s join customer c on c.id = s.customer_id where s.id = $2 and c.id = $1`,
      [customerId, subscriptionId],
    )
    return row
  }

  const invoicesOf = async (payer: Payer) =>
    (await world.invoices(payer)).map(
      ({ status, amountDue, amountPaid }) => `${status} ${amountDue} ${amountPaid}`,
    )

  const ways: Record<string, (events: readonly Stripe.Event[]) => Promise<void>> = {
    'in order': async (events) => {
      for (const event of events) await world.receive(event)
      await world.drain()
    },
    'backwards, each by itself, then all of it twice': async (events) => {
      for (const event of [...events.toReversed(), ...events]) {
        await world.receive(event)
        await world.drain()
      }
    },
    never: async () => {
      expect((await repairDrift(world.deps)).left.drifts).toEqual([])
    },
  }

  describe.each(Object.entries(ways))('of which we hear %s', (_how, hear) => {
    test('is kept, marked and linked to nothing; what ran is over, and what was not billed has nobody to bill', async () => {
      const ada = await world.register('plain', '2026-01-10T00:00:00Z')
      await world.turn(ada, '2026-01-20T00:00:00Z')
      await world.deliver()
      await world.use(ada, '500', '2026-01-15T00:00:00Z')
      await world.sync(ada)
      await world.deliver()
      await world.stripe.customers.del(ada.customer)
      await hear(await world.newEvents())
      await world.sync(ada)
      expect(await standing(ada)).toEqual({ status: 'canceled', marked: true, linked: false, slot: false })
      // 20.00 were paid for the first period; 5.00 of usage go with who used it.
      expect((await invoicesOf(ada)).sort()).toEqual(['paid 2000 2000', 'void 0 0'])
      expect(await driftOf(world)).toEqual([])
    })

    test('leaves an open invoice open, as it stands there: nobody is charged for it', async () => {
      const bob = await world.register('plain', '2026-01-10T00:00:00Z')
      await world.deliver()
      const { id: fails } = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
        customer: bob.customer,
      })
      await world.stripe.subscriptions.update(bob.subscription, { default_payment_method: fails })
      await world.turn(bob, '2026-02-12T00:00:00Z')
      await world.deliver()
      expect((await standing(bob))?.status).toBe('past_due')
      await world.stripe.customers.del(bob.customer)
      await hear(await world.newEvents())
      await world.sync(bob)
      expect(await standing(bob)).toEqual({ status: 'canceled', marked: true, linked: false, slot: false })
      expect(await invoicesOf(bob)).toEqual(['paid 2000 2000', 'open 2000 0', 'void 0 0'])
      expect(await driftOf(world)).toEqual([])
    })

    test('leaves a draft there; here its period is void, and that is no difference', async () => {
      const eve = await world.register('plain', '2026-01-10T00:00:00Z')
      await world.deliver()
      await world.turn(eve, '2026-02-10T00:00:00Z')
      await world.stripe.customers.del(eve.customer)
      await hear(await world.newEvents())
      await world.sync(eve)
      const there = await world.stripe.invoices.list({ subscription: eve.subscription })
      expect(there.data.map(({ status, total }) => `${status} ${total}`)).toEqual(['draft 2000', 'paid 2000'])
      expect(new Set(await invoicesOf(eve))).toEqual(new Set(['paid 2000 2000', 'void 0 0']))
      expect(await driftOf(world)).toEqual([])
    })
  })

  test('is a new one there when they register again', async () => {
    const cy = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.deliver()
    await world.stripe.customers.del(cy.customer)
    // Nothing was told of it yet, and twice is asked at once: it is looked whether the customer is there.
    const known = { paymentMethod: 'pm_card_visa' }
    const [again, also] = await Promise.all([
      world.registerAlso(cy, 'seats', 'second', known),
      world.registerAlso(cy, 'seats', 'third', known),
    ])
    expect(again.customerId).toBe(cy.customerId)
    expect(again.customer).not.toBe(cy.customer)
    expect(also.customer).toBe(again.customer)
    await world.deliver()
    for (const one of [again, also])
      expect(await standing(one)).toEqual({ status: 'active', marked: false, linked: true, slot: true })
    expect((await standing(cy))?.status).toBe('canceled')
    const { data } = await world.stripe.subscriptions.list({ customer: again.customer, status: 'all' })
    expect(data.map(({ id }) => id).sort()).toEqual([again.subscription, also.subscription].sort())
    expect(await world.stripe.customers.retrieve(again.customer)).toMatchObject({
      email: `${cy.externalId}@example.org`,
    })
    expect(await driftOf(world)).toEqual([])
  })
})

describe('a customer who was made at Stripe and is unlinked by a person', async () => {
  const world = await shared(newInboundWorld())
  const customers = async (providerId: string) =>
    (
      await world.pool.query(
        `select c.id, m.provider_id as customer, m.origin from customer c left join mapping m on m.entity_id = c.id
          where c.external_id like $1 || '%'`,
        [providerId],
      )
    ).rows

  async function made(metadata: Stripe.MetadataParam = {}) {
    const { id: customer } = await world.stripe.customers.create({ name: 'Ada', metadata })
    await world.deliver()
    const [{ entity_id: id }] = (
      await world.pool.query('select entity_id from mapping where provider_id = $1', [customer])
    ).rows
    return { id: id as string, customer }
  }

  async function unlinked(change: Stripe.CustomerUpdateParams) {
    const one = await made()
    await unlinkByHand(world.deps, 'customer', one.id)
    await world.stripe.customers.update(one.customer, change)
    await world.deliver()
    return one
  }

  const linked = async (id: string) =>
    (await world.pool.query('select provider_id as customer, origin from mapping where entity_id = $1', [id]))
      .rows
  const profileOf = async (id: string) =>
    (await world.pool.query('select name from customer_profile where customer_id = $1', [id])).rows[0]?.name

  /** Billed once, and not by a subscription. */
  async function bill(customer: string): Promise<string> {
    await world.stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd' })
    const { id } = await world.stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
    await world.stripe.invoices.finalizeInvoice(id ?? '')
    return id ?? ''
  }

  test('stays so whatever is told of them; drift offers the link', async () => {
    const { id, customer } = await unlinked({ metadata: { colour: 'red' } })
    expect(await customers(customer)).toEqual([{ id, customer: null, origin: null }])
    expect(await driftOf(world)).toEqual(['customer missingHere unlinked link'])
    await linkByHand(world.deps, { entityType: 'customer', entityId: id, providerId: customer })
    expect(await driftOf(world)).toEqual([])
  })

  test.each([{}, { lockstep_external_id: 'someone' }])(
    'and linked again is called as at Stripe, as before: %j',
    async (metadata) => {
      for (const again of ['by hand', 'by drift', 'by what is billed'] as const) {
        const named = metadata.lockstep_external_id
        const { id, customer } = await made(named ? { lockstep_external_id: `${named} ${again}` } : {})
        await unlinkByHand(world.deps, 'customer', id)
        await world.stripe.customers.update(customer, { name: 'Ada Lovelace' })
        await world.deliver()
        if (again === 'by hand')
          await linkByHand(world.deps, { entityType: 'customer', entityId: id, providerId: customer })
        else if (again === 'by drift' && !named)
          expect((await repairDrift(world.deps)).left.drifts).toEqual([])
        else {
          await bill(customer)
          await world.deliver()
        }
        expect(await linked(id)).toEqual([{ customer, origin: 'webhook' }])
        expect(await profileOf(id)).toBe('Ada Lovelace')
        await world.stripe.customers.update(customer, { name: 'Ada King' })
        await world.deliver()
        expect(await profileOf(id)).toBe('Ada King')
        expect(await driftOf(world)).toEqual([])
      }
    },
  )

  const ways: Record<string, (events: readonly Stripe.Event[]) => Promise<void>> = {
    'in another API version': async (events) => {
      for (const event of events) await world.receive({ ...event, api_version: '2024-06-20' })
      await world.drain()
    },
    'out of order': async (events) => {
      for (const event of events.toReversed()) {
        await world.receive(event)
        await world.drain()
      }
    },
  }
  test.each(
    Object.entries(ways).flatMap(([how, hear]) =>
      (['', 'app'] as const).map((named) => ({ how, hear, named })),
    ),
  )('stays so too where the customer is fetched: $how $named', async ({ how, hear, named }) => {
    const { id, customer } = await made(named === '' ? {} : { lockstep_external_id: `${named} ${how}` })
    await unlinkByHand(world.deps, 'customer', id)
    await world.stripe.customers.update(customer, { name: 'Once' })
    await world.stripe.customers.update(customer, { name: 'Twice' })
    await hear(await world.newEvents())
    expect(await linked(id)).toEqual([])
    expect((await customers(customer)).filter((one) => one.id !== id)).toEqual([])
    await linkByHand(world.deps, { entityType: 'customer', entityId: id, providerId: customer })
    await world.stripe.customers.update(customer, { name: 'Ada' })
    await world.deliver()
  })

  test('is that one again when something is billed to them there', async () => {
    const { id, customer } = await unlinked({ name: 'Ada Byron' })
    await bill(customer)
    await world.deliver()
    expect(await linked(id)).toEqual([{ customer, origin: 'webhook' }])
    expect(await profileOf(id)).toBe('Ada Byron')
    expect(await driftOf(world)).toEqual([])
  })

  test('but not over what was billed before; and where missing ones are not created a person is asked', async () => {
    const { id, customer } = await made()
    const before = await bill(customer)
    await world.deliver()
    await unlinkByHand(world.deps, 'customer', id)
    await world.stripe.invoices.update(before, { metadata: { colour: 'red' } })
    await ways['in another API version']?.(await world.newEvents())
    expect(await linked(id)).toEqual([])
    const sync = { ...world.deps.provider.sync, missingCustomer: 'park' } as const
    const asking = { ...world.deps, provider: { ...world.deps.provider, sync } }
    const billed = await bill(customer)
    await expect(lookAt(asking, { type: 'invoice', id: billed })).rejects.toMatchObject({
      code: 'mapping_needed',
    })
    expect(await linked(id)).toEqual([])
    await world.deliver()
    expect(await linked(id)).toEqual([{ customer, origin: 'webhook' }])
    expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  })

  test('is that one again, and no second one, when a subscription there needs them', async () => {
    const { id, customer } = await unlinked({ name: 'Ada Lovelace' })
    const product = await world.stripe.products.create({ name: 'Team' })
    const price = await world.stripe.prices.create({
      ...{ product: product.id, currency: 'jpy', unit_amount: 500, recurring: { interval: 'month' } },
    })
    const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer })
    await world.stripe.subscriptions.create({
      ...{ customer, default_payment_method: method.id, items: [{ price: price.id }] },
    })
    await world.deliver()
    expect(await customers(customer)).toEqual([{ id, customer, origin: 'webhook' }])
    const { rows } = await world.pool.query(
      `select s.customer_id, s.status, p.name from subscription s join customer_profile p using (customer_id)`,
    )
    expect(rows).toEqual([{ customer_id: id, status: 'active', name: 'Ada Lovelace' }])
    expect(await driftOf(world)).toEqual([])
  })

  test('one who was here before under that id is linked, and called what they are called here; no repair tells it there', async () => {
    const { id: customer } = await world.stripe.customers.create({ name: 'Ada there' })
    const [created] = await world.newEvents()
    const id = 'customer_01here'
    await world.pool.query(
      `with made as (insert into customer (id, external_id, created_at) values ($1, $2, now()))
       insert into customer_profile (customer_id, name) values ($1, 'Ada here')`,
      [id, customer],
    )
    await world.receive(created ?? {})
    await world.drain()
    expect(await linked(id)).toEqual([{ customer, origin: 'link' }])
    expect(await profileOf(id)).toBe('Ada here')
    // Customers come in, and are told to nobody: each side keeps the name that it has.
    const { repairs, left } = await repairDrift(world.deps)
    expect(repairs).toEqual([])
    expect(left.drifts).toEqual([])
    await world.stripe.customers.update(customer, { name: 'Ada there', email: 'ada@example.org' })
    expect(await driftOf(world)).toEqual([])
    await world.deliver()
    expect(await profileOf(id)).toBe('Ada here')
    expect(await driftOf(world)).toEqual([])
    expect(await world.stripe.customers.retrieve(customer)).toMatchObject({ name: 'Ada there' })
  })
})
