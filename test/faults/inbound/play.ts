import { findDrift } from '@lockstep/service/workflow/drift/find'
import { doDue } from '@lockstep/service/workflow/due'
import Stripe from 'stripe'
import type { BillingWorld } from '../../../packages/service/test/support/billing-world.ts'
import { newInboundWorld } from '../../../packages/service/test/support/inbound-world.ts'
import { type Random, seeded } from '../../support/random.ts'
import { type Account, type Move, moves } from './moves.ts'

export interface Heard {
  readonly moves: number
  /** Those that Stripe let be done, by what they were. */
  readonly sorts: Readonly<Record<string, number>>
  readonly events: number
  /** Of the account after the last one. */
  readonly seed: number
  /** Each begins with `seed N`. */
  readonly breaches: readonly string[]
}

const MOVES_EACH = 40
const SUBSCRIPTIONS_EACH = 8
const OLDER_VERSION = '2024-06-20'

/**
 * Accounts in which everything is made at Stripe, in yen, dinars and dollars from the 31st on, and changed there at random: of each move some events are heard at
 * once and most later, in no order, some twice, some in an older version of the API, by two workers at a time. When all of
 * them are told, nothing waits, nothing is there twice, and nothing here differs from Stripe.
 * https://docs.stripe.com/webhooks#event-ordering
 */
export async function playInbound({
  runs,
  seed,
}: {
  readonly runs: number
  readonly seed: number
}): Promise<Heard> {
  const breaches: string[] = []
  const sorts: Record<string, number> = {}
  let [done, events, next] = [0, 0, seed]
  for (; done < runs; next += 1) {
    // Each in a world of its own: so it can be replayed from its seed.
    const world = await newInboundWorld()
    try {
      const played = await play(world, seeded(next))
      events += played.events
      for (const { name } of played.told) sorts[name] = (sorts[name] ?? 0) + 1
      const story = played.told.map(({ of, name }) => `${of} ${name}`).join(', ')
      if (played.wrong !== undefined) breaches.push(`seed ${next}: ${played.wrong} after ${story}`)
    } finally {
      await world.close()
    }
    done += MOVES_EACH
  }
  return { moves: done, sorts, events, seed: next, breaches }
}

interface Played {
  readonly events: number
  readonly told: readonly { readonly of: string; readonly name: string }[]
  readonly wrong: string | undefined
}

async function play(world: BillingWorld, random: Random): Promise<Played> {
  const account = await newAccount(world, random)
  const told: { of: string; name: string }[] = []
  const untold = await world.newEvents()
  let events = 0
  for (let number = 0; number < MOVES_EACH; number += 1) {
    const name = random.pick(Object.keys(moves))
    const subscription = await world.stripe.subscriptions.retrieve(random.pick(account.subscriptions))
    if (await isDone(account, moves[name], subscription)) told.push({ of: subscription.id, name })
    untold.push(...(await world.newEvents()))
    if (random.below(4) > 0) continue
    const some = random.shuffle(untold).slice(0, Math.ceil(untold.length / 2))
    events += await hear(world, random, some)
  }
  untold.push(...(await world.newEvents()))
  events += await hear(world, random, untold)
  // What somebody has to say first is looked at again; nobody says anything here.
  for (let round = 0; round < 2; round += 1) {
    await doDue({ ...world.deps, workflows: world.workflows })
    await world.drain()
  }
  return { events, told, wrong: await whatIsWrong(world) }
}

async function newAccount(world: BillingWorld, random: Random): Promise<Account> {
  const { stripe } = world
  const clock = await stripe.testHelpers.testClocks.create({
    frozen_time: Date.UTC(2026, 0, 31, 23, 59, 59) / 1000,
  })
  const products = [
    await stripe.products.create({ name: 'Team' }),
    await stripe.products.create({ name: 'Ünïcödé ✨' }),
    // Of the same name as another one.
    await stripe.products.create({ name: 'Team' }),
  ]
  const prices: Stripe.Price[] = []
  for (const [index, product] of products.entries()) {
    for (const [currency, unit_amount] of amounts) {
      const recurring = { interval: 'month', interval_count: index === 0 ? 3 : 1 } as const
      prices.push(await stripe.prices.create({ product: product.id, currency, unit_amount, recurring }))
    }
  }
  const coupons = [
    (await stripe.coupons.create({ percent_off: 25, duration: 'forever' })).id,
    (await stripe.coupons.create({ percent_off: 10, duration: 'once' })).id,
    (await stripe.coupons.create({ percent_off: 50, duration: 'repeating', duration_in_months: 2 })).id,
  ]
  const subscriptions: string[] = []
  for (let number = 0; number < SUBSCRIPTIONS_EACH; number += 1) {
    const customer = await stripe.customers.create({ name: `Payer ${number}`, test_clock: clock.id })
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const { id } = await stripe.subscriptions.create({
      ...{ customer: customer.id, default_payment_method: card.id },
      items: [{ price: random.pick(prices).id, quantity: 1 + random.below(4) }],
    })
    subscriptions.push(id)
  }
  return { world, random, clock: clock.id, products, prices, coupons, subscriptions }
}

const amounts = [
  ['jpy', 500],
  ['jpy', 1200],
  ['kwd', 2500],
  ['kwd', 12_340],
  ['usd', 1000],
  ['usd', 1999],
] as const

/** False where Stripe says no: who does things at random is often refused. */
async function isDone(
  account: Account,
  move: Move | undefined,
  subscription: Stripe.Subscription,
): Promise<boolean> {
  try {
    await move?.(account, subscription)
    return true
  } catch (error) {
    if (
      error instanceof Stripe.errors.StripeError &&
      (error.statusCode === 400 || error.statusCode === 402 || error.statusCode === 404)
    )
      return false
    throw error
  }
}

/** In no order, some twice, some as an endpoint of an older version has them. */
async function hear(world: BillingWorld, random: Random, events: readonly Stripe.Event[]): Promise<number> {
  for (const event of random.shuffle(events)) {
    const told = random.below(5) === 0 ? { ...event, api_version: OLDER_VERSION } : event
    await world.receive(told)
    if (random.below(3) === 0) await world.receive(told)
  }
  await Promise.all([world.drain(), world.drain()])
  return events.length
}

async function whatIsWrong({ pool, deps }: BillingWorld): Promise<string | undefined> {
  const { rows: waiting } = await pool.query(
    `select type, object_id, state, problem ->> 'detail' as why from provider_event where state <> 'processed' and state <> 'ignored'`,
  )
  if (waiting.length > 0) return `not worked on: ${JSON.stringify(waiting.slice(0, 3))}`
  // Whoever was made twice has no link the second time: links are unique.
  const { rows: unlinked } = await pool.query(
    `select id from customer c where deleted_at_provider is null
       and not exists (select from mapping m where m.entity_type = 'customer' and m.entity_id = c.id)
     union all select id from subscription s
      where not exists (select from mapping m where m.entity_type = 'subscription' and m.entity_id = s.id)`,
  )
  if (unlinked.length > 0) return `twice: ${JSON.stringify(unlinked)}`
  const { drifts } = await findDrift(deps)
  return drifts.length === 0 ? undefined : `differs: ${JSON.stringify(drifts.slice(0, 3))}`
}
