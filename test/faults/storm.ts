import { createHmac } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type Stripe from 'stripe'
import { type Random, seeded } from '../support/random.ts'
import { newWorld, type World } from '../support/world.ts'

/** Everything is made at Stripe, and comes in by events alone. */
const INBOUND = {
  LOCKSTEP_DIRECTIONS: 'customer=inbound,plan=inbound,price=inbound,subscription=inbound',
  LOCKSTEP_MISSING_CUSTOMER: 'create',
  LOCKSTEP_MISSING_PLAN: 'create',
}

/** Deliveries on their way at a time. */
const AT_ONCE = 16
/** How often each event is delivered. */
const TIMES = 3
/** How long the receiver lives in a burst of kills, in milliseconds. */
const SHORT_LIFE_MS = 200

export interface Storm {
  /** At least as many events. */
  readonly events: number
  /** About as many objects: of seven four are customers, two subscriptions, one a product. */
  readonly objects: number
  readonly seed: number
  /** How often the receiver is killed while they come, evenly. */
  readonly kills: number
  /** How often it is killed at the beginning, each time as soon as it answered for 200 ms. */
  readonly burst?: number
  /** Told how far it is: when all events are made, with each tenth of their deliveries, and when it is only waited for. */
  readonly onProgress?: (text: string) => void
}

export interface StormVerdict {
  readonly events: number
  readonly objects: number
  readonly deliveries: number
  readonly breaches: readonly string[]
}

/**
 * Objects at Stripe change as fast as they can, so that most events share their second with others of the same
 * object. What was told of them comes three times, shuffled, 16 at a time, to a receiver that is killed. At the end
 * every object is here as it is there, once.
 */
export async function storm({
  events: wanted,
  objects: most,
  seed,
  kills,
  burst = 0,
  onProgress = () => {},
}: Storm): Promise<StormVerdict> {
  const random = seeded(seed)
  const world = await newWorld({ env: { ...INBOUND, LOCKSTEP_LOG_LEVEL: 'silent' } })
  try {
    for (const { id } of (await world.stripe.webhookEndpoints.list()).data)
      await world.stripe.webhookEndpoints.update(id, { disabled: true })
    const objects = await change(world.stripe, random, wanted, most)
    const events: Stripe.Event[] = []
    for await (const event of world.stripe.events.list({ limit: 100 })) events.push(event)
    const bodies = events.map((event) => JSON.stringify(event))
    const deliveries = random.shuffle(Array.from({ length: TIMES }, () => bodies).flat())
    onProgress(`${events.length} events of ${objects.length} objects are made`)
    const tenth = Math.ceil(deliveries.length / 10)
    const onDelivered = (count: number) => {
      if (count % tenth === 0 || count === deliveries.length)
        onProgress(`${count} of ${deliveries.length} deliveries`)
    }
    await deliver(world, deliveries, { kills, burst, onDelivered })
    onProgress('all are taken in, and worked on')
    await atRest(world)
    const breaches = [...(await compare(world, objects)), ...(await count(world, events, objects))]
    return {
      events: events.length,
      objects: objects.length,
      deliveries: deliveries.length,
      breaches: breaches.map((breach) => `seed ${seed}: ${breach}`),
    }
  } finally {
    await world.close()
  }
}

interface Changing {
  readonly type: 'customer' | 'product' | 'subscription'
  readonly id: string
  isGone: boolean
}

/** Makes the objects and changes them, a few at a time, until enough was told of them. */
async function change(stripe: Stripe, random: Random, wanted: number, most: number): Promise<Changing[]> {
  const product = await stripe.products.create({ name: 'The one that is sold' })
  const price = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: 1000,
    recurring: { interval: 'month' },
  })
  const objects: Changing[] = [{ type: 'product', id: product.id, isGone: false }]
  await together(Math.ceil((most * 4) / 7), async (i) => {
    const customer = await stripe.customers.create({ name: `Customer ${i}` })
    objects.push({ type: 'customer', id: customer.id, isGone: false })
    if (i % 4 === 0) {
      const made = await stripe.products.create({ name: `Product ${i}` })
      objects.push({ type: 'product', id: made.id, isGone: false })
    }
    if (i % 2 === 0) {
      const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
      const subscription = await stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: price.id, quantity: 1 + (i % 5) }],
        default_payment_method: method.id,
      })
      objects.push({ type: 'subscription', id: subscription.id, isGone: false })
    }
  })
  // Each change is told by one event.
  let told = 0
  for await (const _ of stripe.events.list({ limit: 100 })) told += 1
  const changes = Math.max(0, wanted - told)
  await together(changes, (i) => changeOne(stripe, objects[random.below(objects.length)], i))
  await endSome(stripe, objects)
  return objects
}

async function changeOne(stripe: Stripe, object: Changing | undefined, i: number): Promise<void> {
  switch (object?.type) {
    case 'customer':
      await stripe.customers.update(object.id, { name: `Name ${i}`, email: `name_${i}@example.org` })
      return
    case 'product':
      await stripe.products.update(object.id, { name: `Thing ${i}`, active: i % 3 !== 0 })
      return
    case 'subscription':
      await stripe.subscriptions.update(object.id, {
        cancel_at_period_end: i % 2 === 0,
        metadata: { change: String(i) },
      })
      return
    case undefined:
  }
}

/** One in ten comes to its end. */
async function endSome(stripe: Stripe, objects: readonly Changing[]): Promise<void> {
  const ending = objects.filter((_, i) => i % 10 === 9)
  await together(ending.length, async (i) => {
    const object = ending[i]
    if (object?.type === 'subscription') await stripe.subscriptions.cancel(object.id)
    if (object?.type !== 'product') return
    await stripe.products.del(object.id)
    object.isGone = true
  })
}

async function together(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) {
      next += 1
      await work(next - 1)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

interface Delivering {
  readonly kills: number
  readonly burst: number
  readonly onDelivered: (count: number) => void
}

/** As Stripe delivers: what is not answered with 2xx is delivered again. On the way the receiver dies. */
async function deliver(
  world: World,
  bodies: readonly string[],
  { kills, burst, onDelivered }: Delivering,
): Promise<void> {
  const every = Math.ceil(bodies.length / (kills + 1))
  let back = Promise.resolve()
  const kill = () => {
    back = back.then(world.kill).then(world.start)
    return back
  }
  const bursting = shortLives(burst, kill)
  let delivered = 0
  await together(bodies.length, async (i) => {
    if (i > 0 && i % every === 0) void kill()
    const body = bodies[i] ?? ''
    for (;;) {
      const status = await send(world, body)
      if (status === 200) {
        delivered += 1
        onDelivered(delivered)
        return
      }
      if (status >= 400 && status < 500) throw new Error(`An event was refused with ${status}: ${body}`)
      await back
    }
  })
  await bursting
  await back
}

/** Whoever delivers meanwhile meets a receiver that is there for a moment, and gone again. */
async function shortLives(count: number, kill: () => Promise<void>): Promise<void> {
  for (let life = 0; life < count; life += 1) {
    await setTimeout(SHORT_LIFE_MS)
    await kill()
  }
}

/** 0: it was dead, or died at this moment, and nobody knows whether the event was stored. */
function send({ serviceUrl, webhookSecret }: World, body: string): Promise<number> {
  const at = Math.floor(Date.now() / 1000)
  const mac = createHmac('sha256', webhookSecret).update(`${at}.${body}`).digest('hex')
  const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${mac}` }
  return new Promise((resolve) => {
    const sending = request(
      `${serviceUrl}/webhooks/stripe`,
      { method: 'POST', agent, headers },
      (response) => {
        response.resume().on('close', () => resolve(response.complete ? (response.statusCode ?? 0) : 0))
      },
    )
    sending.on('error', () => resolve(0)).end(body)
  })
}

// Costs a third of what fetch does, and there are many.
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

async function atRest({ db }: World): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ waiting: string }>(
      `select count(*)::text as waiting from provider_event where state = 'received'`,
    )
    if (rows[0]?.waiting === '0') return
  }
}

/** Object by object: what Stripe answers now, what we hold of it, and what was made of it. */
async function compare({ stripe, db }: World, objects: readonly Changing[]): Promise<string[]> {
  const breaches: string[] = []
  await together(objects.length, async (i) => {
    const object = objects[i]
    if (!object) return
    const { type, id, isGone } = object
    const { rows } = await db.query(
      `select o.raw, o.gone, m.entity_id, c.name, c.email, p.name as product, p.archived_at is not null as archived,
         s.status, s.quantity::int, s.cancel_at_period_end
       from (select $1::text as type, $2::text as id) wanted
       left join provider_object o on o.type = wanted.type and o.id = wanted.id
       left join mapping m on m.provider_id = wanted.id and m.entity_type = wanted.type
       left join customer_profile c on c.customer_id = m.entity_id
       left join product p on p.key = m.entity_id
       left join subscription s on s.id = m.entity_id`,
      [type, id],
    )
    const [row] = rows
    if (rows.length !== 1) return void breaches.push(`${id}: ${rows.length} rows`)
    if (isGone) {
      if (row.entity_id !== null) breaches.push(`${id} is gone there and linked here`)
      return
    }
    const there = plain(await retrieve(stripe, object))
    if (!isDeepStrictEqual(row.raw, there)) breaches.push(`${id}: what is held of it is not what it is`)
    const [here, expected] = [asHere(type, row), asThere(type, there)]
    if (!isDeepStrictEqual(here, expected))
      breaches.push(`${id}: here ${JSON.stringify(here)}, there ${JSON.stringify(expected)}`)
  })
  return breaches
}

function retrieve(stripe: Stripe, { type, id }: Changing) {
  if (type === 'customer') return stripe.customers.retrieve(id)
  return type === 'product' ? stripe.products.retrieve(id) : stripe.subscriptions.retrieve(id)
}

type Fields = Readonly<Record<string, unknown>>

const plain = (object: object) => JSON.parse(JSON.stringify(object)) as Fields

function asHere(type: Changing['type'], row: Fields): unknown[] {
  if (type === 'customer') return [row.name, row.email]
  if (type === 'product') return [row.product, row.archived]
  return [row.status, row.quantity, row.cancel_at_period_end]
}

function asThere(type: Changing['type'], object: Fields): unknown[] {
  if (type === 'customer') return [object.name, object.email]
  if (type === 'product') return [object.name, object.active === false]
  const { data } = object.items as { data: { quantity: number }[] }
  return [object.status, data[0]?.quantity, object.cancel_at_period_end]
}

/** Nothing is there twice, nothing was lost, nothing was given up, and nothing happened that did not. */
async function count({ db }: World, events: readonly Stripe.Event[], objects: readonly Changing[]) {
  const of = (type: Changing['type']) => objects.filter((object) => object.type === type).length
  const { rows } = await db.query<Record<string, number>>(
    `select
       (select count(*)::int from provider_event) as events,
       (select count(*)::int from provider_event where state not in ('processed', 'ignored')) as "not settled",
       (select count(*)::int from customer) as customers,
       (select count(*)::int from subscription) as subscriptions,
       (select count(*)::int from (
         select from invoice where provider_invoice_id is not null group by provider_invoice_id having count(*) > 1) twice)
         as "invoices twice",
       (select count(*)::int from (
         select from invoice where period_end > period_start and billing_reason = 'subscription_cycle'
         group by subscription_id, period_start having count(*) > 1) twice) as "periods twice",
       (select count(*)::int from subscription_history a join subscription_history b
         on b.subscription_id = a.subscription_id and b.previous = a.ordinal
         where (a.status, a.plan_version_id, a.quantity, a.cancel_at, a.cancel_at_period_end)
           is not distinct from (b.status, b.plan_version_id, b.quantity, b.cancel_at, b.cancel_at_period_end)
         ) as "stretches that change nothing"`,
  )
  const found = rows[0] ?? {}
  const expected: Readonly<Record<string, number>> = {
    events: events.length,
    'not settled': 0,
    customers: of('customer'),
    subscriptions: of('subscription'),
    'invoices twice': 0,
    'periods twice': 0,
    'stretches that change nothing': 0,
  }
  return Object.entries(expected).flatMap(([what, number]) =>
    found[what] === number ? [] : [`${found[what]} ${what}, not ${number}`],
  )
}
