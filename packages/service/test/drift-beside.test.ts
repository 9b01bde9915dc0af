import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import type { Drift } from '../src/workflow/drift/drift.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const fee = { kind: 'recurring', model: 'flat', amount: '120.00' } as const
const care = { ...fee, amount: '30.00' } as const
const seat = { kind: 'recurring', model: 'perUnit', unitAmount: '1.00' } as const
const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' }, backups: { name: 'Backups' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    annual: {
      ...{ name: 'Annual', product: 'cloud', interval: 'year', usageInterval: 'month' },
      prices: { fee, compute: { meter: 'seconds', product: 'cloud', model: 'perUnit', unitAmount: '0.10' } },
    },
    duo: { name: 'Duo', product: 'cloud', interval: 'month', prices: { fee, care } },
    monthly: { name: 'Monthly', product: 'cloud', interval: 'month', prices: { fee } },
    metered: {
      ...{ name: 'Metered', product: 'cloud', interval: 'month' },
      prices: { fee, compute: { meter: 'seconds', product: 'cloud', model: 'perUnit', unitAmount: '0.10' } },
    },
  },
  addons: {
    backups: { name: 'Backups', product: 'backups', interval: 'month', prices: { each: seat } },
  },
})

const world = await shared(newBillingWorld({ catalog }))
const annual = await world.register('annual', '2026-02-01T00:00:00Z')
const monthly = await world.register('monthly', '2026-02-01T00:00:00Z', {
  paymentMethod: 'pm_card_createDispute',
  addons: [{ addon: 'backups', quantity: 2 }],
})
const duo = await world.register('duo', '2026-02-01T00:00:00Z')
await world.deliver()
expect((await findDrift(world.deps)).drifts).toEqual([])

const story = ({ entity, kind, cause, repair, differences }: Drift) =>
  [entity, kind, ...differences.map(({ field }) => field), cause, repair ?? 'none'].join(' ')

/** The damage is found as such, and only it; its repair leaves none. */
async function mend(found: string): Promise<void> {
  expect((await findDrift(world.deps)).drifts.map(story)).toEqual([found])
  const { repairs, left } = await repairDrift(world.deps)
  expect(repairs.map(({ refused }) => refused)).toEqual([null])
  expect(left.drifts).toEqual([])
}

/** What happened at Stripe, and nobody tells us. */
async function unheard(): Promise<void> {
  await world.newEvents()
}

test('add-ons that a row does not have as they are at Stripe', async () => {
  await world.pool.query(`update subscription set addons = '[]' where id = $1`, [monthly.subscriptionId])
  await mend('subscription differs addons changedHere look')

  const { data } = await world.stripe.subscriptionItems.list({ subscription: monthly.subscription })
  const item = data.find(({ quantity }) => quantity === 2)
  await world.stripe.subscriptionItems.update(item?.id ?? '', { quantity: 5, proration_behavior: 'none' })
  await unheard()
  await mend('subscription differs addons missed look')
})

test('how many of each price stand there', async () => {
  const row = () =>
    world.pool.query('select item_numbers from subscription where id = $1', [duo.subscriptionId])
  await world.pool.query(`update subscription set item_numbers = '{"care": 3}' where id = $1`, [
    duo.subscriptionId,
  ])
  await mend('subscription differs itemNumbers changedHere look')
  expect((await row()).rows).toEqual([{ item_numbers: {} }])

  const { data } = await world.stripe.subscriptionItems.list({ subscription: duo.subscription })
  const item = data.find(({ price }) => price.unit_amount === 3000)?.id ?? ''
  await world.stripe.subscriptionItems.update(item, { quantity: 2, proration_behavior: 'none' })
  await unheard()
  await mend('subscription differs itemNumbers missed look')
  expect((await row()).rows).toEqual([{ item_numbers: { care: 2 } }])

  // One of them is left.
  await world.stripe.subscriptionItems.del(item, { proration_behavior: 'none' })
  await unheard()
  await mend('subscription differs itemNumbers missed look')
  expect((await row()).rows).toEqual([{ item_numbers: { care: null } }])
})

test('usage that is invoiced there at another interval than the plan’s, is told again', async () => {
  await world.stripe.subscriptions.update(annual.subscription, { pending_invoice_item_interval: '' })
  await unheard()
  await mend('subscription differs usageInterval changedThere sync')
  const { pending_invoice_item_interval: interval } = await world.stripe.subscriptions.retrieve(
    annual.subscription,
  )
  expect(interval).toEqual({ interval: 'month', interval_count: 1 })
})

test('the same, heard of, where all was sent', async () => {
  await world.sync(annual)
  await world.stripe.subscriptions.update(annual.subscription, { pending_invoice_item_interval: '' })
  await world.deliver()
  await mend('subscription differs usageInterval changedThere sync')
})

test('where no lines go out no repair is offered that could not set the interval', async () => {
  await world.stripe.subscriptions.update(annual.subscription, { pending_invoice_item_interval: '' })
  await unheard()
  const directions = { ...world.deps.provider.sync.directions, invoice: 'inbound' } as const
  const provider = { ...world.deps.provider, sync: { ...world.deps.provider.sync, directions } }
  const { repairs, left } = await repairDrift({ ...world.deps, provider })
  expect(repairs).toEqual([])
  expect(left.drifts.map((drift) => [story(drift), drift.reason])).toEqual([
    [
      'subscription differs usageInterval changedThere none',
      expect.stringContaining('Lines are not told to the provider (LOCKSTEP_DIRECTIONS)'),
    ],
  ])
  await mend('subscription differs usageInterval changedThere sync')
})

test('a schedule that somebody made, or let go, and nobody told of', async () => {
  const { stripe } = world
  const { id } = await stripe.subscriptionSchedules.create({ from_subscription: annual.subscription })
  await unheard()
  await mend('subscription differs schedule missed look')
  await stripe.subscriptionSchedules.release(id)
  await unheard()
  await mend('subscription differs schedule missed look')
})

test('what somebody put there to be billed, and nothing told of', async () => {
  const items = world.stripe.invoiceItems
  const { customer, subscription } = monthly
  const made = await items.create({ customer, subscription, amount: 700, currency: 'usd' })
  await unheard()
  await mend('invoiceItem missingHere missed look')
  const current = async () => (await world.read(monthly, 'current')).subtotal.minor
  const withIt = await current()
  await items.update(made.id, { amount: 900 })
  await unheard()
  await mend('invoiceItem differs amount missed look')
  expect(await current()).toBe(withIt + 200n)
  await world.pool.query(`update pending_item set content = content || '{"amount": "1"}' where id = $1`, [
    made.id,
  ])
  await mend('invoiceItem differs amount changedHere look')
  await world.pool.query(`update pending_item set state = 'absent' where id = $1`, [made.id])
  await mend('invoiceItem differs invoice missed look')
  expect(await current()).toBe(withIt + 200n)
  await items.del(made.id)
  await unheard()
  await mend('invoiceItem missingThere gone look')
  expect(await current()).toBe(withIt - 700n)
  // Of somebody who is none of ours, and on a draft that takes it, there is nothing to find.
  const nobody = await world.stripe.customers.create()
  await items.create({ customer: nobody.id, amount: 5, currency: 'usd' })
  await items.create({ customer, amount: 5, currency: 'usd' })
  await world.deliver()
  await world.stripe.invoices.create({
    customer,
    pending_invoice_items_behavior: 'include',
    auto_advance: false,
  })
  await unheard()
  expect((await findDrift(world.deps)).drifts).toEqual([])
})

test('a dispute that stands otherwise, and one that is not here', async () => {
  await world.pool.query(`update dispute set status = 'won'`)
  await mend('dispute differs status changedHere look')
  await world.pool.query('delete from dispute')
  await mend('dispute missingHere missed look')
  const { rows } = await world.pool.query('select status, customer_id from dispute')
  expect(rows).toEqual([{ status: 'needs_response', customer_id: monthly.customerId }])
})

test('what is left of a subscription that ended early is on an invoice whose period Stripe does not know: no drift', async () => {
  const ended = await world.register('metered', '2026-02-01T00:00:00Z')
  await world.deliver()
  await world.turn(ended, '2026-02-10T00:00:00Z')
  await world.deliver()
  await world.use(ended, '300', '2026-02-05T00:00:00Z')
  await world.stripe.subscriptions.cancel(ended.subscription)
  await world.deliver()
  await world.sync(ended)
  await world.turn(ended, '2026-02-10T02:00:00Z')
  await world.deliver()
  expect(await world.invoices(ended)).toContainEqual(
    expect.objectContaining({ status: 'paid', total: 3000n }),
  )
  expect((await findDrift(world.deps)).drifts).toEqual([])
  // What comes later still is on another one, of no plan.
  await world.use(ended, '5', '2026-02-05T00:00:00Z')
  await world.sync(ended)
  await world.turn(ended, '2026-02-10T04:00:00Z')
  await world.deliver()
  expect(await world.invoices(ended)).toContainEqual(
    expect.objectContaining({ status: 'paid', total: 50n, planVersionId: null }),
  )
  expect((await findDrift(world.deps)).drifts).toEqual([])
})
