import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { planCatalog } from '../src/workflow/apply-catalog.ts'
import type { Drift } from '../src/workflow/drift/drift.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import type { BillingWorld } from './support/billing-world.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

const story = ({ entity, kind, cause, repair, differences }: Drift) =>
  [entity, kind, ...differences.map(({ field }) => field), cause, repair ?? 'none'].join(' ')
const driftOf = async ({ deps }: BillingWorld) => (await findDrift(deps)).drifts.map(story)

describe('what the catalogue sells', async () => {
  const world = await shared(newBillingWorld())
  const sql = (text: string, values: unknown[] = []) => world.pool.query(text, values)
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const [{ price, product }] = (
    await sql(
      `select m.provider_id as price, o.provider_id as product from mapping m join price p on p.id = m.entity_id
         join plan_version v on v.id = p.plan_version_id and v.plan_key = 'plain'
         join mapping o on o.entity_type = 'product' and o.entity_id = p.product_key`,
    )
  ).rows
  const { data: products } = await world.stripe.products.list({ limit: 100 })

  // "no new subscriptions can be created to any plans of this product": stripe/stripe-go#1031.
  test('whose product is archived at Stripe lets nobody register and goes on for who has it, until it is taken back', async () => {
    await world.stripe.products.update(product, { active: false })
    await expect(world.register('plain', '2026-01-10T00:00:00Z')).rejects.toThrow('items[0][price]')
    await world.turn(ada, '2026-02-12T00:00:00Z')
    await world.deliver()
    const { data: billed } = await world.stripe.invoices.list({ customer: ada.customer })
    expect(billed.map(({ status, billing_reason: reason }) => `${reason} ${status}`)).toEqual([
      'subscription_cycle paid',
      'subscription_create paid',
    ])
    const { drifts } = await findDrift(world.deps)
    expect(drifts.map(story)).toContain('product differs active changedThere tell')
    const detail =
      'Its price, or the product of that, was archived at the provider, so that nobody can register: see `lockstep drift repair`.'
    const plans = await planCatalog(world.deps, world.catalog)
    expect(plans.find(({ key }) => key === 'plain')).toMatchObject({ action: 'unchanged', details: [detail] })
    const { repairs } = await repairDrift(world.deps)
    expect(repairs.map(({ refused }) => refused)).not.toContain('Something broke; the log has it.')
    expect(await driftOf(world)).toEqual([])
    await world.deliver()
    expect(await planCatalog(world.deps, world.catalog)).toEqual([])
    await world.register('plain', '2026-01-10T00:00:00Z')
    await world.deliver()
  })

  test('whose product and price are archived has both taken back', async () => {
    await world.stripe.prices.update(price, { active: false })
    await world.stripe.products.update(product, { active: false })
    expect((await driftOf(world)).sort()).toEqual([
      'price differs active changedThere tell',
      'product differs active changedThere tell',
    ])
    await repairDrift(world.deps)
    expect(await driftOf(world)).toEqual([])
    await world.deliver()
  })

  test('whose price was deleted there is told, and nothing is guessed; who has it keeps it', async () => {
    // Prices are deleted in the dashboard, or as plans: https://docs.stripe.com/api/plans/delete
    await world.stripe.plans.del(price)
    await world.deliver()
    const { drifts } = await findDrift(world.deps)
    expect(drifts.map(story)).toEqual(['price missingThere gone none'])
    expect(drifts[0]?.reason).toContain('nobody can register for plain 1')
    expect((await world.stripe.subscriptions.retrieve(ada.subscription)).status).toBe('active')
  })

  test('what the catalogue names no more may be archived', async () => {
    const cloud = products.find(({ name }) => name === 'Cloud')?.id ?? ''
    await sql(`update product set archived_at = now() where key = 'cloud'`)
    await world.stripe.products.update(cloud, { active: false })
    expect(await driftOf(world)).toEqual(['price missingThere gone none'])
    await sql(`update product set archived_at = null where key = 'cloud'`)
    await world.stripe.products.update(cloud, { active: true })
    await world.deliver()
  })

  test('a product that only usage is billed for is told too', async () => {
    const compute = products.find(({ name }) => name === 'Compute')?.id ?? ''
    await world.stripe.products.update(compute, { active: false })
    expect(await driftOf(world)).toContain('product differs active changedThere tell')
    // Where nobody registers here, whoever sells there says what is on sale; products are told there all the same.
    const directions = { ...world.deps.provider.sync.directions, subscription: 'inbound' } as const
    const sync = { ...world.deps.provider.sync, directions }
    const beside = { ...world.deps, provider: { ...world.deps.provider, sync } }
    expect((await findDrift(beside)).drifts.filter(({ entity }) => entity === 'product')).toEqual([])
    await repairDrift(beside)
    expect((await world.stripe.products.retrieve(compute)).active).toBe(false)
    await repairDrift(world.deps)
    expect((await world.stripe.products.retrieve(compute)).active).toBe(true)
  })
})

describe('what came in from Stripe', async () => {
  const world = await shared(newInboundWorld())
  let counter = 0

  async function sold() {
    counter += 1
    const product = await world.stripe.products.create({ name: `Team ${counter}` })
    const price = await world.stripe.prices.create({
      ...{ product: product.id, currency: 'usd', unit_amount: 1200, recurring: { interval: 'month' } },
    })
    const customer = await world.stripe.customers.create({ name: 'Ada' })
    const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const subscription = await world.stripe.subscriptions.create({
      ...{ customer: customer.id, default_payment_method: method.id, items: [{ price: price.id }] },
    })
    await world.deliver()
    return { product, price, subscription }
  }

  async function standing({
    product,
    subscription,
  }: {
    product: Stripe.Product
    subscription: Stripe.Subscription
  }) {
    const { rows } = await world.pool.query(
      `select p.archived_at is not null as archived, s.status, s.quantity::int from mapping m join plan p on p.key = m.entity_id
         join plan_version v on v.plan_key = p.key join subscription s on s.plan_version_id = v.id
         join mapping n on n.entity_id = s.id and n.provider_id = $2
        where m.entity_type = 'plan' and m.provider_id = $1`,
      [product.id, subscription.id],
    )
    return rows
  }

  /** Who has it changes how many they have: that is followed. */
  async function follows(one: Awaited<ReturnType<typeof sold>>, quantity: number) {
    const item = one.subscription.items.data[0]?.id ?? ''
    await world.stripe.subscriptions.update(one.subscription.id, { items: [{ id: item, quantity }] })
    await world.deliver()
    expect(await standing(one)).toEqual([{ archived: true, status: 'active', quantity }])
    expect(await driftOf(world)).toEqual([])
  }

  test('an archived product is an archived plan, kept by who has it, whatever is told late and twice', async () => {
    const one = await sold()
    await world.stripe.products.update(one.product.id, { active: false })
    await world.stripe.products.update(one.product.id, { active: true })
    await world.stripe.products.update(one.product.id, { active: false })
    const events = await world.newEvents()
    for (const event of [...events.toReversed(), ...events]) await world.receive(event)
    await world.drain()
    await follows(one, 3)
  })

  test('of which nothing was heard drift says so, and looks', async () => {
    const one = await sold()
    await world.stripe.products.update(one.product.id, { active: false })
    await world.newEvents()
    expect(await driftOf(world)).toEqual(['product differs archived missed look'])
    expect((await repairDrift(world.deps)).left.drifts).toEqual([])
    await follows(one, 2)
    await world.pool.query(
      `update plan set archived_at = null where key = (select entity_id from mapping where provider_id = $1 and entity_type = 'plan')`,
      [one.product.id],
    )
    expect(await driftOf(world)).toEqual(['product differs archived changedHere look'])
    expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  })

  test('an archived price leaves its plan on sale, and who pays it on it', async () => {
    const one = await sold()
    await world.stripe.prices.update(one.price.id, { active: false })
    await world.deliver()
    expect(await standing(one)).toEqual([{ archived: false, status: 'active', quantity: 1 }])
    expect(await driftOf(world)).toEqual([])
  })

  test.each(['told', 'lost'])(
    'a deleted product under a plan that is sold is an archived plan: %s',
    async (how) => {
      const one = await sold()
      await world.stripe.plans.del(one.price.id)
      await world.stripe.products.del(one.product.id)
      if (how === 'told') await world.deliver()
      else {
        await world.newEvents()
        expect(await driftOf(world)).toEqual(['product missingThere gone look'])
        expect((await repairDrift(world.deps)).left.drifts).toEqual([])
      }
      expect(await standing(one)).toEqual([{ archived: true, status: 'active', quantity: 1 }])
      expect(await driftOf(world)).toEqual([])
    },
  )
})
