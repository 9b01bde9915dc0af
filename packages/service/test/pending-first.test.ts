import { expect, test } from 'vitest'
import { findDrift } from '../src/workflow/drift/find.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { shared } from './support/shared.ts'
import { subscribeThere } from './support/subscribe-there.ts'

// Stripe does not say in which order events come: https://docs.stripe.com/webhooks#event-ordering

const world = await shared(newInboundWorld())
const { stripe } = world
const product = await stripe.products.create({ name: 'Team' })
const recurring = { interval: 'month' } as const
const [less, more] = await Promise.all(
  [5000, 12_340].map((unit_amount) =>
    stripe.prices.create({ product: product.id, currency: 'kwd', unit_amount, recurring }),
  ),
)
if (!less || !more) throw new Error('No prices.')

test.each([
  ['as it is read here', {}],
  ['in an older version', { api_version: '2024-06-20' }],
])('what waits to be billed is heard of before its subscription, %s', async (_how, version) => {
  await world.deliver()
  const { id, items } = await subscribeThere(stripe, less.id)
  await stripe.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? '', price: more.id }] })
  const events = await world.newEvents()
  const waiting = events.filter(({ type }) => type === 'invoiceitem.created')
  expect(waiting).toHaveLength(2)
  for (const event of waiting) {
    await world.receive({ ...event, ...version })
    await world.drain()
  }
  for (const event of events) await world.receive(event)
  await world.drain()
  const { rows } = await world.pool.query(
    `select content ->> 'amount' as amount from pending_item p join mapping m on m.entity_id = p.subscription_id
      where m.provider_id = $1`,
    [id],
  )
  // Both in the second of the start: 5.000 back, 12.340 instead.
  expect(rows.map(({ amount }) => Number(amount)).sort((a, b) => a - b)).toEqual([-5000, 12_340])
  expect((await findDrift(world.deps)).drifts.filter(({ entity }) => entity === 'invoiceItem')).toEqual([])
})
