import type Stripe from 'stripe'
import { beforeEach, expect, test } from 'vitest'
import type { Drift } from '../src/workflow/drift/drift.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

// What was made at Stripe carries no name of ours: a link that is lost here is told by what else is known of it.

const world = await shared(newInboundWorld())
const sql = (text: string, values: unknown[] = []) => world.pool.query(text, values)
const story = ({ entity, kind, cause, repair, differences }: Drift) =>
  [entity, kind, ...differences.map(({ field }) => field), cause, repair ?? 'none'].join(' ')
const drifts = async () => (await findDrift(world.deps)).drifts.map(story)

const product = await world.stripe.products.create({ name: 'Team' })
const price = await world.stripe.prices.create({
  ...{ product: product.id, currency: 'usd', unit_amount: 1200, recurring: { interval: 'month' } },
})

async function customer(more: Stripe.CustomerCreateParams = {}) {
  const made = await world.stripe.customers.create({ name: 'Ada', ...more })
  await world.stripe.paymentMethods.attach('pm_card_visa', { customer: made.id })
  return made
}

async function subscribed(more: Stripe.CustomerCreateParams = {}) {
  const { id } = await customer(more)
  const { data } = await world.stripe.paymentMethods.list({ customer: id })
  const subscription = await world.stripe.subscriptions.create({
    ...{ customer: id, items: [{ price: price.id, quantity: 2 }], default_payment_method: data[0]?.id ?? '' },
  })
  await world.deliver()
  return { customer: id, subscription: subscription.id }
}

const links = async (ids: readonly string[]) =>
  (
    await sql(
      `select entity_type, entity_id, provider_id, origin from mapping where provider_id = any($1) order by 1, 3`,
      [ids],
    )
  ).rows

beforeEach(async () => {
  await world.deliver()
  expect(await drifts()).toEqual([])
})

/** Found as such, and only it; its repair leaves none, makes nothing new, and charges nobody. */
async function mend(found: string): Promise<void> {
  const counts = async () =>
    (
      await sql(`select (select count(*) from customer) as customers, (select count(*) from subscription) as subscriptions,
        (select count(*) from invoice) as invoices`)
    ).rows
  const charges = async () => (await world.stripe.charges.list({ limit: 100 })).data.length
  const before = [await counts(), await charges()]
  expect(await drifts()).toEqual([found])
  const { repairs, left } = await repairDrift(world.deps)
  expect(repairs.map(({ refused }) => refused)).toEqual([null])
  expect(left.drifts).toEqual([])
  expect([await counts(), await charges()]).toEqual(before)
}

test.each(['customer', 'subscription'] as const)('the link of a %s that was made at Stripe', async (type) => {
  const made = await subscribed()
  const before = await links([made.customer, made.subscription])
  expect(before).toHaveLength(2)
  await sql(`delete from mapping where entity_type = $1 and provider_id = $2`, [type, made[type]])
  await mend(`${type} missingHere unlinked link`)
  expect(await links([made.customer, made.subscription])).toEqual(before)
})

test('both links of one: the customer’s first, then what was seen behind it', async () => {
  const made = await subscribed()
  const before = await links([made.customer, made.subscription])
  await sql(`delete from mapping where provider_id = any($1)`, [[made.customer, made.subscription]])
  expect(await drifts()).toEqual(['customer missingHere unlinked link'])
  expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  expect(await links([made.customer, made.subscription])).toEqual(before)
})

test('a customer who has no subscription', async () => {
  const { id } = await customer()
  await world.deliver()
  const before = await links([id])
  expect(before).toHaveLength(1)
  await sql(`delete from mapping where provider_id = $1`, [id])
  await mend('customer missingHere unlinked link')
  expect(await links([id])).toEqual(before)
})

test('a customer whose row is another’s by now is nobody’s guess', async () => {
  const [one, other] = [await subscribed(), await subscribed()]
  const [ours] = await links([one.customer])
  await sql(`update mapping set provider_id = 'cus_moved' where provider_id = $1`, [other.customer])
  await sql(`delete from mapping where provider_id = $1`, [one.customer])
  await sql(`update mapping set provider_id = $1 where provider_id = 'cus_moved'`, [one.customer])
  const found = (await findDrift(world.deps)).drifts.filter(({ entityId }) => entityId === ours.entity_id)
  expect(found.map(story)).toEqual(['customer missingHere unexplained none'])
  await sql(`update mapping set provider_id = $2 where provider_id = $1`, [one.customer, other.customer])
  await mend('customer missingHere unlinked link')
})

test('that a customer was deleted there is written down again', async () => {
  const made = await subscribed()
  await world.stripe.customers.del(made.customer)
  await world.deliver()
  const read = async () =>
    (
      await sql(`select deleted_at_provider is not null as gone from customer where external_id = $1`, [
        made.customer,
      ])
    ).rows
  expect(await read()).toEqual([{ gone: true }])
  await sql(`update customer set deleted_at_provider = null where external_id = $1`, [made.customer])
  await mend('customer differs deleted changedHere look')
  expect(await read()).toEqual([{ gone: true }])
})

test('what was made there and not taken up says why', async () => {
  const { customer: id } = await subscribed()
  const reasonOf = async (of: string) =>
    (await findDrift(world.deps)).drifts.find(({ providerId }) => providerId === of)?.reason
  const { data } = await world.stripe.paymentMethods.list({ customer: id })
  const make = (more: Partial<Stripe.SubscriptionCreateParams> = {}) =>
    world.stripe.subscriptions.create({
      ...{ customer: id, items: [{ price: price.id }], default_payment_method: data[0]?.id ?? '', ...more },
    })
  const not = 'It was made at the provider for a customer of ours, and was not taken up here:'

  const other = await make({ metadata: { lockstep_instance: 'another' } })
  expect(await reasonOf(other.id)).toBe(`${not} it carries the name of another installation.`)
  await world.stripe.subscriptions.cancel(other.id)

  const unheard = await make()
  expect(await reasonOf(unheard.id)).toBe(
    `${not} nothing told us of it. A change of it there does, or an import takes it up.`,
  )
  const outbound = { ...world.deps.provider.sync.directions, subscription: 'outbound' } as const
  const provider = { ...world.deps.provider, sync: { ...world.deps.provider.sync, directions: outbound } }
  const { drifts: found } = await findDrift({ ...world.deps, provider })
  expect(found.map(({ reason }) => reason)).toEqual([
    `${not} subscriptions made there do not come in (LOCKSTEP_DIRECTIONS). An import takes it up.`,
  ])

  // Its event was parked: what the event says of it is why.
  await world.deliver()
  await sql(`delete from mapping where provider_id = $1`, [unheard.id])
  await sql(`update provider_object set id = 'sub_moved' where id = $1`, [unheard.id])
  await sql(
    `update provider_event set state = 'parked', outcome = 'gave_up', problem = '{"detail": "It broke."}'
      where object_id = $1`,
    [unheard.id],
  )
  expect(await reasonOf(unheard.id)).toBe(`${not} it was refused. It broke.`)
  await world.stripe.subscriptions.cancel(unheard.id)
  await sql(`update provider_event set state = 'processed', problem = null where object_id = $1`, [
    unheard.id,
  ])
})
