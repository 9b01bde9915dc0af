import { findDrift } from '@lockstep/service/workflow/drift/find'
import { repairDrift } from '@lockstep/service/workflow/drift/repair'
import {
  type BillingWorld,
  newBillingWorld,
  type Payer,
} from '../../packages/service/test/support/billing-world.ts'
import { newInboundWorld } from '../../packages/service/test/support/inbound-world.ts'
import { type Random, seeded } from '../support/random.ts'

export interface DriftRuns {
  readonly runs: number
  readonly seed: number
}

export interface DriftVerdict {
  readonly kinds: number
  readonly breaches: readonly string[]
}

/** One kind of damage: what is done, and what has to be found of it, as entity and kind of difference. */
interface Damage {
  readonly name: string
  readonly found: string
  /** Of what was made at Stripe, and carries no name of ours. */
  readonly isTheirs?: true
  do(world: BillingWorld, payer: Payer, random: Random): Promise<unknown>
}

const PAYERS = 4

/**
 * Damages one customer after the other, here in a row or there in the dashboard, and holds after each that all of it
 * is found, nothing else is, that the offered repair leaves no drift, and that nobody was charged by it.
 */
export async function damage({ runs, seed }: DriftRuns): Promise<DriftVerdict> {
  const [world, beside] = [await newBillingWorld(), await newInboundWorld()]
  const breaches: string[] = []
  const done = new Set<string>()
  try {
    const [payers, theirs]: [Payer[], Payer[]] = [[], []]
    for (let number = 0; number < PAYERS; number += 1) payers.push(await newPayer(world))
    for (let number = 0; number < PAYERS; number += 1) theirs.push(await newPayerThere(beside))
    for (let run = 0; run < runs; run += 1) {
      const random = seeded(seed + run)
      const one = random.pick(damages)
      const payer = random.pick(one.isTheirs ? theirs : payers)
      const breach = await damageOne(one.isTheirs ? beside : world, payer, one, random)
      done.add(one.name)
      if (breach !== undefined) breaches.push(`seed ${seed + run}: ${one.name}: ${breach}`)
    }
  } finally {
    await world.close()
    await beside.close()
  }
  return { kinds: done.size, breaches }
}

async function newPayer(world: BillingWorld): Promise<Payer> {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.turn(payer, '2026-01-20T00:00:00Z')
  await world.deliver()
  // What was never said here may be whatever it is there: so it is said.
  await world.pool.query(`update customer_profile set name = 'Payer' where customer_id = $1`, [
    payer.customerId,
  ])
  await world.stripe.customers.update(payer.customer, { name: 'Payer' })
  await world.deliver()
  await world.use(payer, '12', '2026-01-15T00:00:00Z')
  await world.sync(payer)
  return payer
}

/** One who was made at Stripe with a subscription that a schedule changes a month later, and was taken up here. */
async function newPayerThere({ stripe, deliver, pool }: BillingWorld): Promise<Payer> {
  const sold = async (amount: number) => {
    const product = await stripe.products.create({ name: 'Team' })
    const terms = { product: product.id, currency: 'usd', unit_amount: amount } as const
    return stripe.prices.create({ ...terms, recurring: { interval: 'month' } })
  }
  const [price, next] = [await sold(1200), await sold(900)]
  const { id: customer } = await stripe.customers.create({ name: 'Payer' })
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  const { id: subscription } = await stripe.subscriptions.create({
    ...{ customer, default_payment_method: method.id, items: [{ price: price.id }] },
  })
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription })
  const [phase] = schedule.phases
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      {
        items: [{ price: price.id }],
        start_date: phase?.start_date ?? 0,
        end_date: phase?.end_date ?? 0,
      },
      { items: [{ price: next.id }], duration: { interval: 'month', interval_count: 1 } },
    ],
  })
  await deliver()
  const { rows } = await pool.query(
    `select s.customer_id, s.id from mapping m join subscription s on s.id = m.entity_id where m.provider_id = $1`,
    [subscription],
  )
  const [{ customer_id: customerId, id: subscriptionId }] = rows
  return { externalId: customer, customerId, subscriptionId, customer, subscription, testClock: '' }
}

async function damageOne(
  world: BillingWorld,
  payer: Payer,
  { found, do: harm }: Damage,
  random: Random,
): Promise<string | undefined> {
  const charged = () => world.stripe.charges.list({ customer: payer.customer, limit: 100 })
  await harm(world, payer, random)
  const before = (await charged()).data.length
  const { drifts } = await findDrift(world.deps)
  const told = drifts.map(({ entity, kind }) => `${entity} ${kind}`)
  const { left } = await repairDrift(world.deps)
  const after = (await charged()).data.length
  // What happened at Stripe is told by events as well: they come late, and change nothing any more.
  await world.deliver()
  if (told.length !== 1 || told[0] !== found) return `found ${told.join(', ') || 'nothing'}, not ${found}`
  if (left.drifts.length > 0) return `left ${JSON.stringify(left.drifts)}`
  if (after !== before) return `charged ${after - before} times`
  return undefined
}

const days = (random: Random) => 1 + random.below(300)

/** A column of the subscription's row, written by other hands. */
const subscriptionRow = (name: string, value: (random: Random) => string): Damage => ({
  name: `subscription ${name} here`,
  found: 'subscription differs',
  do: (world, { subscriptionId }, random) =>
    world.pool.query(`update subscription set ${name} = ${value(random)} where id = $1`, [subscriptionId]),
})

const moved = (column: string) =>
  subscriptionRow(column, (random) => `${column} + interval '${days(random)} hours'`)

const set = (column: string) =>
  subscriptionRow(column, (random) => `timestamptz '2026-03-01Z' + interval '${days(random)} days'`)

/** A column of the first invoice's row. */
const invoiceRow = (name: string, value: (random: Random) => string): Damage => ({
  name: `invoice ${name} here`,
  found: 'invoice differs',
  do: (world, { subscriptionId }, random) =>
    world.pool.query(
      `update invoice set ${name} = ${value(random)} where subscription_id = $1 and status = 'paid'`,
      [subscriptionId],
    ),
})

const amount = (random: Random) => `${3000 + random.below(1_000_000)}`

/** Something that somebody did in the dashboard, and of which nothing told us. */
const there = (name: string, found: string, harm: Damage['do']): Damage => ({
  name: `${name} there`,
  found,
  do: harm,
})

const pendingItem = async ({ stripe }: BillingWorld, { customer }: Payer) =>
  (await stripe.invoiceItems.list({ customer, pending: true })).data[0]?.id ?? ''

const couponOf = async (stripe: BillingWorld['stripe']) =>
  (await stripe.coupons.create({ percent_off: 1, duration: 'forever' })).id

const damages: readonly Damage[] = [
  subscriptionRow(
    'status',
    (random) => `'${random.pick(['past_due', 'trialing', 'unpaid', 'paused', 'incomplete'])}'`,
  ),
  subscriptionRow('quantity', (random) => `quantity + ${1 + random.below(1000)}`),
  subscriptionRow('cancel_at_period_end', () => 'not cancel_at_period_end'),
  subscriptionRow('currency', () => `'eur'`),
  subscriptionRow('collection', () => `case collection when 'void' then 'keepAsDraft' else 'void' end`),
  moved('billing_cycle_anchor'),
  moved('current_period_end'),
  subscriptionRow(
    'current_period_start',
    (random) => `current_period_start - interval '${days(random)} hours'`,
  ),
  moved('started_at'),
  set('trial_start'),
  set('trial_end'),
  set('cancel_at'),
  set('canceled_at'),
  set('ended_at'),
  set('collection_resumes_at'),
  invoiceRow('subtotal', amount),
  invoiceRow('total', amount),
  invoiceRow('amount_due', amount),
  invoiceRow('amount_paid', amount),
  invoiceRow('amount_remaining', amount),
  invoiceRow('number', (random) => `'X-${random.below(1000)}'`),
  invoiceRow('status', (random) => `'${random.pick(['open', 'uncollectible', 'void'])}'`),
  {
    name: 'customer name here',
    found: 'customer differs',
    do: (world, { customerId }, random) =>
      world.pool.query('update customer_profile set name = $2 where customer_id = $1', [
        customerId,
        `Name ${random.below(1_000_000)}`,
      ]),
  },
  ...(['customer', 'subscription'] as const).flatMap((entity): Damage[] => {
    const lost: Damage = {
      name: `link of the ${entity} here`,
      found: `${entity} missingHere`,
      do: (world, { customerId, subscriptionId }) =>
        world.pool.query('delete from mapping where entity_id = $1', [
          entity === 'customer' ? customerId : subscriptionId,
        ]),
    }
    return [lost, { ...lost, name: `link of the ${entity} that was made there`, isTheirs: true }]
  }),
  {
    name: 'number of a stretch of the past here',
    found: 'history differs',
    do: (world, { subscriptionId }, random) =>
      world.pool.query(
        `update subscription_history set quantity = quantity + $2, fee = (quantity + $2) * 2000
          where subscription_id = $1 and ordinal = 1`,
        [subscriptionId, 1 + random.below(1000)],
      ),
  },
  {
    name: 'customer deleted here',
    found: 'customer differs',
    do: (world, { customerId }) =>
      world.pool.query('update customer set deleted_at_provider = now() where id = $1', [customerId]),
  },
  {
    name: 'link of an issued invoice here',
    found: 'invoice missingHere',
    do: (world, { subscriptionId }) =>
      world.pool.query(
        `update invoice set provider_invoice_id = null where subscription_id = $1 and finalized_at is not null`,
        [subscriptionId],
      ),
  },
  subscriptionRow(
    'metered_items',
    (random) => `'[{"item": "si_${random.below(1000)}", "price": "price_1", "end": 1780000000}]'`,
  ),
  {
    name: 'date of a planned change here',
    found: 'plannedChange differs',
    isTheirs: true,
    do: (world, { subscriptionId }, random) =>
      world.pool.query(
        `update plan_change set due_at = due_at + $2 * interval '1 hour' where subscription_id = $1`,
        [subscriptionId, random.below(2) === 0 ? days(random) : -days(random)],
      ),
  },
  {
    name: 'number of a planned change here',
    found: 'plannedChange differs',
    isTheirs: true,
    do: (world, { subscriptionId }, random) =>
      world.pool.query(`update plan_change set quantity = quantity + $2 where subscription_id = $1`, [
        subscriptionId,
        1 + random.below(1000),
      ]),
  },
  there('e-mail', 'customer differs', ({ stripe }, { customer }, random) =>
    stripe.customers.update(customer, { email: `other-${random.below(1_000_000)}@example.org` }),
  ),
  there('name', 'customer differs', ({ stripe }, { customer }, random) =>
    stripe.customers.update(customer, { name: `Other ${random.below(1_000_000)}` }),
  ),
  there('quantity', 'subscription differs', async ({ stripe }, { subscription }, random) => {
    const { items, metadata } = await stripe.subscriptions.retrieve(subscription)
    const [item] = items.data
    const quantity = (item?.quantity ?? 1) + 1 + random.below(5)
    await stripe.subscriptions.update(subscription, {
      items: [{ id: item?.id ?? '', quantity }],
      proration_behavior: 'none',
      metadata,
    })
  }),
  there('pause', 'subscription differs', async ({ stripe }, { subscription }) => {
    const { pause_collection: pause } = await stripe.subscriptions.retrieve(subscription)
    await stripe.subscriptions.update(subscription, {
      pause_collection: pause === null ? { behavior: 'keep_as_draft' } : '',
    })
  }),
  there('planned end', 'subscription differs', async ({ stripe }, { subscription }) => {
    const { cancel_at_period_end: ends } = await stripe.subscriptions.retrieve(subscription)
    await stripe.subscriptions.update(subscription, { cancel_at_period_end: !ends })
  }),
  subscriptionRow('discounts', (random) => `'["di_${random.below(1000)}"]'`),
  there('discount', 'subscription differs', async ({ stripe }, { subscription }) => {
    await stripe.subscriptions.update(subscription, { discounts: [{ coupon: await couponOf(stripe) }] })
  }),
  there('discount of an item', 'subscription differs', async ({ stripe }, { subscription }) => {
    const { items } = await stripe.subscriptions.retrieve(subscription)
    const discounts = [{ coupon: await couponOf(stripe) }]
    await stripe.subscriptionItems.update(items.data[0]?.id ?? '', { discounts })
  }),
  there('discount of the customer', 'customer differs', async ({ stripe, simulator }, { customer }) =>
    simulator.control.discountCustomer(customer, await couponOf(stripe)),
  ),
  there('price archived', 'price differs', async ({ stripe, pool }) => {
    const { rows } = await pool.query(
      `select m.provider_id from mapping m join price p on p.id = m.entity_id
         join plan_version v on v.id = p.plan_version_id where v.plan_key = 'plain'`,
    )
    await stripe.prices.update(rows[0].provider_id, { active: false })
  }),
  there('item changed', 'invoiceItem differs', async (world, payer, random) =>
    world.stripe.invoiceItems.update(await pendingItem(world, payer), { amount: 100 + random.below(10_000) }),
  ),
  there('item deleted', 'invoiceItem missingThere', async (world, payer) =>
    world.stripe.invoiceItems.del(await pendingItem(world, payer)),
  ),
]
