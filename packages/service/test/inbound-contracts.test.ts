import type { ContractDocument } from '@lockstep/core/contract'
import { verifyChain } from '@lockstep/core/contract-chain'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sha256 } from '../src/contract/digest.ts'
import { readChain } from '../src/store/contracts.ts'
import { lookAt } from '../src/workflow/look.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())
// What is made at Stripe now has begun by our clock.
world.wall.time = Math.floor(Date.now() / 1000) + 3600

let counter = 0
async function sold(amount: number) {
  counter += 1
  return world.stripe.prices.create({
    product_data: { name: `Sold ${counter}` },
    ...{ currency: 'usd', unit_amount: amount, recurring: { interval: 'month' } },
  })
}

async function subscribe(price: string, more: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const customer = await world.stripe.customers.create({ name: 'Ada', email: 'ada@example.org' })
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  return world.stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id, items: [{ price, quantity: 3 }] },
    ...more,
  })
}

/** The contracts of a subscription of Stripe's, oldest first, and whether their chain holds. */
async function contractsOf({ id }: { readonly id: string }) {
  const { rows } = await world.pool.query(
    `select c.customer_id as customer, c.document, a.terms_version as terms, a.person
     from contract c join mapping m on m.entity_id = c.subscription_id join contract_acceptance a on a.contract_id = c.id
     where m.provider_id = $1 order by c.sequence`,
    [id],
  )
  const chain = await readChain(world.db, rows[0]?.customer ?? '')
  const documents = rows.map(({ document }) => JSON.parse(document) as ContractDocument)
  return { documents, rows, verdict: verifyChain(rows[0]?.customer ?? '', chain, sha256) }
}

test('a subscription that is made at Stripe is a contract here, of what Stripe says of it', async () => {
  const price = await sold(1200)
  const off = await world.stripe.coupons.create({ name: 'School', percent_off: 25, duration: 'forever' })
  const made = await subscribe(price.id, { trial_period_days: 14, discounts: [{ coupon: off.id }] })
  // Twice, and the last first: it is agreed on once.
  const events = await world.newEvents()
  for (const event of [...events.toReversed(), ...events]) await world.receive(event)
  await world.drain()
  const { documents, rows, verdict } = await contractsOf(made)
  expect(documents).toMatchObject([
    {
      ...{ sequence: 1, previous: null, supersedes: null },
      agreement: {
        plan: { key: `sold-${counter}` },
        ...{ currency: 'usd', quantity: 3, billingCycle: { interval: 'month', intervalCount: 1 } },
        trial: { days: 14 },
        prices: [{ key: 'fee', model: 'perUnit' }],
        discounts: [
          {
            ...{ name: 'School', coupon: 'school', off: { kind: 'percent', percent: '25' } },
            ...{ duration: { kind: 'forever' }, end: null },
          },
        ],
      },
      // Nobody told us which text was accepted.
      acceptance: {
        at: new Date(made.created * 1000).toISOString().replace('.000', ''),
        ...{ requestOrigin: 'provider', terms: null },
      },
    },
  ])
  expect(rows).toMatchObject([
    { terms: null, person: { name: 'Ada', email: 'ada@example.org', address: null, ipAddress: null } },
  ])
  expect(verdict).toMatchObject({ intact: true, contracts: documents.length })
})

test('what changes at Stripe takes its place: the number, a discount that is given, one that is taken away', async () => {
  const price = await sold(1000)
  const made = await subscribe(price.id)
  await world.deliver()
  const item = made.items.data[0]?.id ?? ''
  await world.stripe.subscriptions.update(made.id, { items: [{ id: item, quantity: 5 }] })
  await world.deliver()
  const off = await world.stripe.coupons.create({
    ...{ name: 'Spring', amount_off: 150, currency: 'usd', duration: 'repeating', duration_in_months: 3 },
  })
  await world.stripe.subscriptions.update(made.id, { discounts: [{ coupon: off.id }] })
  await world.deliver()
  await world.stripe.subscriptions.update(made.id, { discounts: '' })
  await world.deliver()
  const { documents, verdict } = await contractsOf(made)
  expect(documents.map(({ supersedes }) => supersedes?.changes)).toEqual([
    undefined,
    ['quantity: 3 → 5'],
    [expect.stringMatching(/^discounts\/Spring: added, 1\.50 usd for 3 months from /)],
    [expect.stringMatching(/^discounts\/Spring: removed/)],
  ])
  expect(documents.map(({ acceptance }) => acceptance.terms)).toEqual([null, null, null, null])
  expect(verdict).toMatchObject({ intact: true, contracts: documents.length })
})

test('a discount that ends by itself was agreed on so, whoever hears of the end before the time', async () => {
  const { stripe } = world
  const start = Date.parse('2026-01-10T00:00:00Z') / 1000
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start })
  const customer = await stripe.customers.create({ name: 'Eve', test_clock: clock.id })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const off = await stripe.coupons.create({
    ...{ name: 'Month', percent_off: 50, duration: 'repeating', duration_in_months: 1 },
  })
  const made = await stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id },
    ...{ items: [{ price: (await sold(1000)).id }], discounts: [{ coupon: off.id }] },
  })
  await world.deliver()
  const renewed = Date.parse('2026-02-10T00:00:00Z') / 1000
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: renewed })
  await world.simulator.control.idle()
  expect((await stripe.subscriptions.retrieve(made.id)).discounts).toEqual([])
  const events = await world.newEvents()
  const updates = events.filter(({ type }) => type === 'customer.subscription.updated')
  expect(updates.length).toBeGreaterThan(0)
  for (const event of [...updates, ...events]) {
    await world.receive(event)
    await world.drain()
  }
  const { documents } = await contractsOf(made)
  expect(documents.map(({ supersedes }) => supersedes)).toEqual([null])
  expect(documents[0]?.agreement.discounts).toMatchObject([
    { name: 'Month', start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' },
  ])
})

test('one that ends in the middle of a period has ended by itself too, by the time at which that is told', async () => {
  const { stripe } = world
  const start = Date.parse('2026-01-10T00:00:00Z') / 1000
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start })
  const customer = await stripe.customers.create({ name: 'Eve', test_clock: clock.id })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const off = await stripe.coupons.create({
    ...{ name: 'Middle', percent_off: 50, duration: 'repeating', duration_in_months: 1 },
  })
  const made = await stripe.subscriptions.create({
    ...{ customer: customer.id, default_payment_method: method.id },
    ...{ items: [{ price: (await sold(1000)).id }], discounts: [{ coupon: off.id }] },
    billing_cycle_anchor: Date.parse('2026-01-31T00:00:00Z') / 1000,
  })
  await world.deliver()
  // The period of 31 January runs to 28 February; the discount is over on the 10th. Nobody tells what time it is there.
  await stripe.testHelpers.testClocks.advance(clock.id, {
    frozen_time: Date.parse('2026-02-20T00:00:00Z') / 1000,
  })
  await world.simulator.control.idle()
  const before = (await world.newEvents()).filter(({ type }) => !type.startsWith('test_helpers'))
  await stripe.subscriptions.update(made.id, { discounts: '' })
  const after = (await world.newEvents()).filter(({ type }) => type === 'customer.subscription.updated')
  for (const event of [...before, ...after]) {
    await world.receive(event)
    await world.drain()
  }
  const { documents } = await contractsOf(made)
  expect(documents.at(-1)?.agreement.discounts).toMatchObject([
    { name: 'Middle', start: '2026-01-10T00:00:00Z', end: '2026-02-10T00:00:00Z' },
  ])
})

test('one that was taken up before contracts were made of it gets its own at the next look, once', async () => {
  const price = await sold(1000)
  const made = await subscribe(price.id)
  await world.deliver()
  await world.pool.query('alter table contract disable trigger contract_is_immutable')
  await world.pool.query(
    `with gone as (delete from contract c using mapping m where m.entity_id = c.subscription_id and m.provider_id = $1 returning c.id)
     delete from contract_acceptance a using gone where a.contract_id = gone.id`,
    [made.id],
  )
  await world.pool.query('alter table contract enable trigger contract_is_immutable')
  for (let look = 0; look < 2; look += 1) await lookAt(world.deps, { type: 'subscription', id: made.id })
  const { documents } = await contractsOf(made)
  expect(documents).toMatchObject([{ agreement: { quantity: 3 }, acceptance: { terms: null } }])
})

test('where it can be read only later what it pays, nothing was agreed on anew', async () => {
  const price = await sold(1000)
  const made = await subscribe(price.id)
  const { provider } = world.deps
  const directions = { ...provider.sync.directions, price: 'off' as const }
  const before = { ...world.deps, provider: { ...provider, sync: { ...provider.sync, directions } } }
  await lookAt(before, { type: 'subscription', id: made.id })
  const standing = async () => {
    const { rows } = await world.pool.query(
      `select h.fee::text, v.version::int from subscription_history h join mapping m on m.entity_id = h.subscription_id
         join plan_version v on v.id = h.plan_version_id
       where m.provider_id = $1 and h.ends_at = 'infinity'`,
      [made.id],
    )
    return rows
  }
  expect(await standing()).toEqual([{ fee: '0', version: 1 }])
  await lookAt(world.deps, { type: 'subscription', id: made.id })
  // Three for 10.00.
  expect(await standing()).toEqual([{ fee: '3000', version: 2 }])
  expect((await contractsOf(made)).documents).toHaveLength(1)
  // Whoever changes it from there agrees on the price as well.
  const item = made.items.data[0]?.id ?? ''
  await world.stripe.subscriptions.update(made.id, { items: [{ id: item, quantity: 4 }] })
  await lookAt(world.deps, { type: 'subscription', id: made.id })
  const { documents } = await contractsOf(made)
  expect(documents[1]).toMatchObject({ agreement: { quantity: 4, prices: [{ key: 'fee' }] } })
})

test('what was never paid for is no contract until it is', async () => {
  const price = await sold(1000)
  const customer = await world.stripe.customers.create({ name: 'Bob' })
  const made = await world.stripe.subscriptions.create({
    ...{ customer: customer.id, items: [{ price: price.id }], payment_behavior: 'default_incomplete' },
    expand: ['latest_invoice'],
  })
  await world.deliver()
  expect((await contractsOf(made)).documents).toEqual([])
  const method = await world.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const invoice = made.latest_invoice as Stripe.Invoice
  await world.stripe.invoices.pay(invoice.id ?? '', { payment_method: method.id })
  await world.deliver()
  expect((await contractsOf(made)).documents).toHaveLength(1)
})
