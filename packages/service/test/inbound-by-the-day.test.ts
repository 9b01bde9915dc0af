import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { applyCatalog } from '../src/workflow/apply-catalog.ts'
import { doDue } from '../src/workflow/due.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newInboundWorld())

const daily = defineCatalog({
  currency: 'usd',
  products: { 'weekly-cloud': { name: 'Weekly cloud' } },
  meters: { day_seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    'weekly-cloud': {
      name: 'Weekly cloud',
      product: 'weekly-cloud',
      interval: 'week',
      usageInterval: 'day',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '7.00' },
        compute: { meter: 'day_seconds', product: 'weekly-cloud', model: 'perUnit', unitAmount: '0.01' },
      },
    },
  },
})

const at = (time: string) => Date.parse(time) / 1000

test('by the week, with usage by the day, and older than four hundred days: it is taken up, and no day is lost', async () => {
  const { stripe } = world
  const product = await stripe.products.create({ name: 'Weekly cloud' })
  const recurring = { interval: 'week' } as const
  const fee = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 700,
    recurring,
  })
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2026-01-02T00:00:00Z') })
  const customer = await stripe.customers.create({ test_clock: clock.id, name: 'Grace' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  const charged = { invoice_settings: { default_payment_method: method.id } }
  await stripe.customers.update(customer.id, charged)
  await world.deliver()
  await applyCatalog({ ...world.deps, workflows: world.workflows }, daily)
  // 1,097 days ago.
  const { id } = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: fee.id }],
    backdate_start_date: at('2023-01-01T00:00:00Z'),
    proration_behavior: 'none',
    pending_invoice_item_interval: { interval: 'day' },
  })
  await world.deliver()
  const { rows } = await world.pool.query(
    `select s.id, s.customer_id, c.external_id from mapping m join subscription s on s.id = m.entity_id
     join customer c on c.id = s.customer_id where m.provider_id = $1`,
    [id],
  )
  const payer = {
    ...{ externalId: rows[0].external_id, customerId: rows[0].customer_id, subscriptionId: rows[0].id },
    ...{ customer: customer.id, subscription: id, testClock: clock.id },
  }
  const ours = (await world.story(payer)).filter((line) => line.includes('subscription_cycle'))
  expect(ours).toHaveLength(400)
  // The days since then are 399, the one that runs among them.
  expect([ours[0], ours[1], ours.at(-1)]).toEqual([
    '2023-01-01 … 2024-11-30 subscription_cycle closing -',
    '2024-11-30 … 2024-12-01 subscription_cycle closing -',
    '2026-01-02 … 2026-01-03 subscription_cycle current -',
  ])
  await world.use(payer, '100', '2023-03-01T05:00:00Z', 'day_seconds')
  await world.use(payer, '7', '2025-12-31T05:00:00Z', 'day_seconds')
  await world.use(payer, '1', '2026-01-01T23:59:59Z', 'day_seconds')
  await world.sync(payer)
  await doDue({ ...world.deps, workflows: world.workflows })
  await world.turn(payer, '2026-01-03T02:00:00Z')
  await world.deliver()
  // 100, 7 and 1 × 0.01
  expect((await world.atStripe(payer)).map(({ invoice, lines }) => [invoice.total, lines])).toEqual([
    [0, []],
    [
      108,
      [
        '1 Seconds: 1 second',
        '100 Seconds: 100 second, reported late for 2023-01-01 to 2024-11-30',
        '7 Seconds: 7 second, reported late for 2025-12-31 to 2026-01-01',
      ],
    ],
  ])
})
