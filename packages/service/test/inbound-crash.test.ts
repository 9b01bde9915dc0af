import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { drainInbox } from '../src/inbox/process.ts'
import { sweepEvents } from '../src/inbox/sweep.ts'
import { newInboundWorld } from './support/inbound-world.ts'
import { mortalConnection } from './support/mortal.ts'
import { shared } from './support/shared.ts'
import { subscribeThere } from './support/subscribe-there.ts'

// What is told of a product's prices before the product is comes to nothing: they are read when it is taken up.
const world = await shared(newInboundWorld())

/** Two prices of a new product. Nothing of it was heard of here yet. */
async function sold(name: string) {
  const product = await world.stripe.products.create({ name })
  const common = { product: product.id, currency: 'usd' } as const
  const monthly = await world.stripe.prices.create({
    ...{ ...common, unit_amount: 1000, recurring: { interval: 'month' } },
  })
  const yearly = await world.stripe.prices.create({
    ...{ ...common, unit_amount: 10_000, recurring: { interval: 'year' } },
  })
  return { product, monthly, yearly }
}

/** An inbox at work in a process that is killed after so many statements. True: it came to its end. */
async function killed(statements: number): Promise<boolean> {
  const connection = mortalConnection(world.url, statements)
  const survived = await drainInbox({ ...world.deps, ...connection }).then(
    () => !connection.died(),
    () => false,
  )
  await connection.close()
  return survived
}

async function pricesHere(product: string) {
  const { rows } = await world.pool.query(
    `select v.interval, r.definition->>'unitAmount' as amount, m.provider_id as price
     from mapping p join plan_version v on v.plan_key = p.entity_id join price r on r.plan_version_id = v.id
       join mapping m on m.entity_type = 'price' and m.entity_id = r.id
     where p.entity_type = 'plan' and p.provider_id = $1 order by v.interval`,
    [product],
  )
  return rows.map(({ interval, price }) => [interval, price])
}

/** Whoever comes next: what the dead one had in hand is free as soon as its sessions are gone. */
async function drainAll(): Promise<void> {
  for (;;) {
    await world.drain()
    const { rows } = await world.pool.query(`select from provider_event where state = 'received'`)
    if (rows.length === 0) return
    world.wall.time += 300
  }
}

async function unread(): Promise<number> {
  const { rows } = await world.pool.query('select count(*)::int as count from plan where prices_unread')
  return rows[0].count
}

/** Both prices are here, and nothing is left to be read. */
async function expectRead({ product, monthly, yearly }: Awaited<ReturnType<typeof sold>>, when: string) {
  const read = [
    ['month', monthly.id],
    ['year', yearly.id],
  ]
  expect(await pricesHere(product.id), when).toEqual(read)
  expect(await unread(), when).toBe(0)
}

test('killed after any statement, a product is taken up with the prices that were heard of before it', async () => {
  for (let statements = 1; ; statements += 1) {
    const { product, monthly, yearly } = await sold(`Told ${statements}`)
    const events = await world.newEvents()
    for (const event of events.filter(({ type }) => type === 'price.created')) await world.receive(event)
    await world.drain()
    expect(await pricesHere(product.id)).toEqual([])
    for (const event of events.filter(({ type }) => type === 'product.created')) await world.receive(event)
    const survived = await killed(statements)
    await drainAll()
    await expectRead({ product, monthly, yearly }, `after ${statements} statements`)
    if (survived) {
      expect(statements).toBeGreaterThan(20)
      return
    }
  }
}, 600_000)

test('killed with a subscription that names the product first, the same, though nothing more is told of that', async () => {
  for (let statements = 20; ; statements += 3) {
    const { product, monthly, yearly } = await sold(`Named ${statements}`)
    await subscribeThere(world.stripe, monthly.id)
    const events = await world.newEvents()
    const told = events.filter(({ type }) => /^customer\.(subscription\.)?created$/.test(type))
    for (const event of told) await world.receive(event)
    const survived = await killed(statements)
    // What it pays becomes known in another way before anybody goes on, so that it asks for its product no more.
    const isIts = ({ type, data }: Stripe.Event) =>
      type === 'price.created' && (data.object as Stripe.Price).id === monthly.id
    for (const event of events.filter(isIts)) await world.receive(event)
    await drainAll()
    await sweepEvents({ ...world.deps, nudge: () => {} }, { dryRun: false })
    await expectRead({ product, monthly, yearly }, `after ${statements} statements`)
    if (survived) {
      expect(statements).toBeGreaterThan(40)
      return
    }
  }
}, 600_000)
