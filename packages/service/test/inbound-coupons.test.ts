import { type Catalog, defineCatalog } from '@lockstep/core/catalog'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { couponRoutes } from '../src/http/routes/coupons.ts'
import { readCoupons } from '../src/store/coupons.ts'
import { readEvent } from '../src/store/provider-events.ts'
import { nextObservation } from '../src/store/provider-objects.ts'
import { admit } from '../src/workflow/admit.ts'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { beginImport, importKind } from '../src/workflow/import/import-account.ts'
import { observe } from '../src/workflow/observe.ts'
import { relist } from '../src/workflow/relist.ts'
import { makeWorkflows } from '../src/workflow/workflows.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { newServer } from './support/server.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
couponRoutes(server.app, world.deps)

const read = async (key: string) => (await server.call({ method: 'GET', url: `/v1/coupons/${key}` })).body

/** Each event by itself, the last first, and all of them twice. */
async function shuffled() {
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) {
    await world.receive(event)
    await world.drain()
  }
  return events
}

test('a coupon that is made at Stripe is one here, with the codes that claim it, until it is gone', async () => {
  const made = await world.stripe.coupons.create({
    ...{ name: 'Two off', amount_off: 200, currency: 'usd', duration: 'repeating', duration_in_months: 3 },
  })
  const code = await world.stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: made.id },
    code: 'SPRING',
  })
  await shuffled()
  expect(await read('two-off')).toMatchObject({
    ...{ name: 'Two off', origin: 'provider', archived: false, percentOff: null },
    ...{ amountOff: { amount: '2.00', currency: 'usd' }, duration: 'repeating', durationInMonths: 3 },
    promotionCodes: [{ id: code.id, code: 'SPRING', active: true }],
  })
  const { rows } = await world.pool.query(
    `select entity_type, entity_id, origin from mapping where provider_id = $1`,
    [made.id],
  )
  expect(rows).toEqual([{ entity_type: 'coupon', entity_id: 'two-off', origin: 'webhook' }])

  await world.stripe.coupons.update(made.id, { name: 'Two dollars off' })
  await world.stripe.promotionCodes.update(code.id, { active: false })
  await world.deliver()
  expect(await read('two-off')).toMatchObject({
    name: 'Two dollars off',
    promotionCodes: [{ active: false }],
  })

  await world.stripe.coupons.del(made.id)
  await world.deliver()
  expect(await read('two-off')).toMatchObject({ archived: true })
})

test('nobody redeems it here before the catalogue names it, and that names it as it is', async () => {
  const made = await world.stripe.coupons.create({ name: 'School', percent_off: 12.5, duration: 'forever' })
  await shuffled()
  expect(await read('school')).toMatchObject({ percentOff: '12.5', origin: 'provider' })
  expect(await readCoupons(world.db)).toEqual([])

  const naming = (percentOff: string): Catalog =>
    defineCatalog({
      ...{ currency: 'usd', products: {}, plans: {} },
      coupons: { school: { name: 'School', percentOff, duration: 'forever' } },
    })
  const apply = (catalog: Catalog) => applyCatalog({ ...world.deps, workflows: world.workflows }, catalog)
  await expect(apply(naming('20'))).rejects.toMatchObject({ code: 'catalog_invalid' })
  await apply(naming('12.5'))
  expect((await readCoupons(world.db)).map(({ key }) => key)).toEqual(['school'])
  const { rows } = await world.pool.query(`select provider_id from mapping where entity_id = 'school'`)
  expect(rows).toEqual([{ provider_id: made.id }])
})

test('one whose share cannot be written here is put before a person', async () => {
  await world.stripe.coupons.create({ name: 'Third', percent_off: 33.333, duration: 'once' })
  const events = await shuffled()
  const event = await readEvent(world.db, events.find(({ type }) => type === 'coupon.created')?.id ?? '')
  expect([event?.state, (event?.problem as { code?: string } | null)?.code]).toEqual([
    'parked',
    'coupon_unreadable',
  ])
})

test('what its discounts take off stands in the contract under its key', async () => {
  const off = await world.stripe.coupons.create({ name: 'Half', percent_off: 50, duration: 'forever' })
  const code = await world.stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: off.id } })
  const price = await world.stripe.prices.create({
    ...{
      product_data: { name: 'Sold' },
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
    },
  })
  const customer = await world.stripe.customers.create({ name: 'Ada' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const made: Stripe.Subscription = await world.stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id, items: [{ price: price.id }] },
    discounts: [{ promotion_code: code.id }],
  })
  await shuffled()
  const { rows } = await world.pool.query(
    `select c.document::json -> 'agreement' -> 'discounts' -> 0 as discount
     from contract c join mapping m on m.entity_id = c.subscription_id where m.provider_id = $1`,
    [made.id],
  )
  expect(rows).toMatchObject([
    { discount: { name: 'Half', coupon: 'half', off: { kind: 'percent', percent: '50' } } },
  ])
})

test('what it is good for is known, and another coupon under the same id is another here', async () => {
  const product = await world.stripe.products.create({ name: 'Only this' })
  const coupon = { id: 'SAME', name: 'Same', duration: 'forever' } as const
  await world.stripe.coupons.create({
    ...{ ...coupon, percent_off: 10, applies_to: { products: [product.id] } },
  })
  await shuffled()
  expect(await read('same')).toMatchObject({ percentOff: '10', products: [product.id], archived: false })
  const first = await world.stripe.coupons.retrieve('SAME', { expand: ['applies_to'] })
  await world.stripe.coupons.del('SAME')
  await world.deliver()
  // The simulator keeps an id for good: what Stripe would answer of the next one is shown by hand.
  const seen = async (object: Stripe.Coupon) => {
    const observation = await nextObservation(world.db)
    const observed = { type: 'coupon', object, observation, source: 'fetch' } as const
    await admit(world.deps, observed)
    await observe(world.deps, observed)
  }
  const other = { ...first, percent_off: null, amount_off: 500, currency: 'jpy', applies_to: undefined }
  await seen(other as unknown as Stripe.Coupon)
  expect(await read('same')).toMatchObject({ percentOff: '10', archived: true })
  const { rows } = await world.pool.query(`select entity_id from mapping where provider_id = 'SAME'`)
  expect(rows).toHaveLength(1)
  expect(await read(rows[0].entity_id)).toMatchObject({
    ...{ amountOff: { amount: '500', currency: 'jpy' }, products: [], archived: false },
  })
  // Seen again as it is, it is that one.
  await seen(other as unknown as Stripe.Coupon)
  expect((await world.pool.query(`select from coupon where name = 'Same'`)).rows).toHaveLength(2)
})

test('coupons and codes that no event told of are found by a sweep of everything, and by an import', async () => {
  const of = { percent_off: 5, duration: 'once' } as const
  const swept = await world.stripe.coupons.create({ ...of, name: 'Swept' })
  const code = await world.stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: swept.id },
    code: 'SWEPT',
  })
  await world.newEvents()
  await relist(world.deps, { since: swept.created, isBeyond: true })
  expect(await read('swept')).toMatchObject({ promotionCodes: [{ id: code.id, code: 'SWEPT' }] })

  const imported = await world.stripe.coupons.create({ ...of, name: 'Imported' })
  await world.stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: imported.id },
    code: 'TAKEN',
  })
  await world.newEvents()
  const workflows = makeWorkflows(world.deps, [importKind(world.deps)])
  try {
    const run = await beginImport({ ...world.deps, workflows }, { dryRun: false, operation: 'import_1' })
    await workflows.settled(run.workflowId, 600)
    expect(await read('imported')).toMatchObject({ promotionCodes: [{ code: 'TAKEN' }] })
  } finally {
    await workflows.close()
  }
})
