import { isDeepStrictEqual } from 'node:util'
import { newId } from '@lockstep/service/ids'
import { listHistory } from '@lockstep/service/store/subscription-history'
import { cancelSubscription } from '@lockstep/service/workflow/deeds/cancel'
import { pauseSubscription } from '@lockstep/service/workflow/deeds/pause'
import { resumeSubscription } from '@lockstep/service/workflow/deeds/resume'
import type { BillingWorld, Payer } from '../../../packages/service/test/support/billing-world.ts'
import type { Random } from '../../support/random.ts'
import * as model from './model.ts'

const DAY = 86_400
const iso = (at: number) => new Date(at * 1000).toISOString().replace('.000', '')
const days = ['2026-01-10', '2026-01-28', '2026-01-29', '2026-01-30', '2026-01-31', '2028-02-29']
const collections = ['keepAsDraft', 'markUncollectible', 'void'] as const
/** Where a command is given: by our API, or by somebody in the provider's dashboard. */
const places = ['us', 'dashboard'] as const

/** One customer's life by random commands, held against the model and the provider after each of them. */
export async function playLife(world: BillingWorld, random: Random, commands: number): Promise<number> {
  const day = Date.parse(`${random.pick(days)}T09:30:00Z`) / 1000
  const plan = random.pick(['plain', 'trying'] as const)
  let payer = await world.register(plan, iso(day))
  await world.deliver()
  let expected = model.begin(day, plan)
  const lives = [payer]
  const told: string[] = [`${plan} from ${iso(day)}`]
  let done = 0
  try {
    while (done < commands) {
      const command = random.pick(candidates(expected, random))
      told.push(command.name)
      const next = await command.run(world, payer, expected)
      if ('payer' in next) {
        payer = next.payer
        lives.push(payer)
      }
      expected = model.settle(next.model)
      await world.deliver()
      await compare(world, payer, expected)
      done += 1
    }
    await finish(world, payer, expected, lives)
    return done
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${told.join('; ')}\n    ${reason}`, { cause: error })
  }
}

interface Command {
  readonly name: string
  run(
    world: BillingWorld,
    payer: Payer,
    now: model.Model,
  ): Promise<{ readonly model: model.Model; readonly payer: Payer } | { readonly model: model.Model }>
}

/** What may be said at this moment: time always passes, the rest depends on whether it lives. */
function candidates(now: model.Model, random: Random): Command[] {
  const times = [
    now.now + 3600,
    now.now + 3 * 3600,
    now.now + (1 + random.below(20)) * DAY,
    ...(now.status === 'canceled' ? [] : [now.period.end, now.period.end - 1].filter((at) => at > now.now)),
    ...(now.cancelAt !== null && now.cancelAt > now.now ? [now.cancelAt] : []),
  ]
  const passing = times.map((to) => turn(to))
  if (now.status === 'canceled') return [...passing, reactivate(random.pick(['plain', 'trying'] as const))]
  const place = random.pick(places)
  const date = now.now + (1 + random.below(50)) * DAY + random.below(DAY)
  return [
    ...passing,
    usage(1 + random.below(500)),
    usage(1 + random.below(500)),
    end(place, 'keep'),
    ...(now.isPaid
      ? [end('us', now.hasBalance ? 'credit' : random.pick(['credit', 'refund'] as const))]
      : []),
    plan(place, 'periodEnd'),
    plan(place, date),
    ...(now.cancelAt !== null || now.collection !== 'charging' ? [goOn()] : []),
    hold(random.pick(collections)),
  ]
}

const turn = (to: number): Command => ({
  name: `to ${iso(to)}`,
  async run(world, payer, now) {
    await world.turn(payer, iso(to))
    return { model: model.advance(now, to) }
  },
})

const usage = (quantity: number): Command => ({
  name: `use ${quantity}`,
  async run(world, payer, now) {
    await world.use(payer, String(quantity), iso(now.now))
    if (quantity % 2 === 0) await world.sync(payer)
    return { model: model.use(now, quantity) }
  },
})

const deedOf = ({ subscriptionId }: Payer) => ({
  ...{ subscriptionId, actor: 'lifecycle', asks: 'admin' as const, reason: null },
  operation: newId('operation'),
})
const partsOf = (world: BillingWorld) => ({ ...world.deps, workflows: world.workflows })

const end = (place: (typeof places)[number], unusedTime: 'keep' | 'credit' | 'refund'): Command => ({
  name: `cancel now, ${unusedTime}, by ${place}`,
  async run(world, payer, now) {
    if (place === 'dashboard') await world.stripe.subscriptions.cancel(payer.subscription)
    else await cancelSubscription(partsOf(world), { ...deedOf(payer), wanted: { when: 'now', unusedTime } })
    return { model: model.cancelNow(now, unusedTime) }
  },
})

const plan = (place: (typeof places)[number], when: 'periodEnd' | number): Command => ({
  name: `cancel ${when === 'periodEnd' ? when : iso(when)} by ${place}`,
  async run(world, payer, now) {
    if (place === 'us')
      await cancelSubscription(partsOf(world), { ...deedOf(payer), wanted: { when, unusedTime: 'keep' } })
    else
      await world.stripe.subscriptions.update(
        payer.subscription,
        when === 'periodEnd'
          ? { cancel_at_period_end: true }
          : { cancel_at: when, proration_behavior: 'none' },
      )
    return { model: model.planEnd(now, when) }
  },
})

const goOn = (): Command => ({
  name: 'resume',
  async run(world, payer, now) {
    await resumeSubscription(partsOf(world), deedOf(payer))
    return { model: model.resume(now) }
  },
})

const hold = (collection: (typeof collections)[number]): Command => ({
  name: `pause ${collection}`,
  async run(world, payer, now) {
    await pauseSubscription(partsOf(world), { ...deedOf(payer), wanted: { collection, resumesAt: null } })
    return { model: model.pause(now, collection) }
  },
})

const reactivate = (onto: 'plain' | 'trying'): Command => ({
  name: `begin anew on ${onto}`,
  async run(world, payer, now) {
    const again = await world.registerAlso(payer, onto, 'default')
    return { payer: again, model: model.begin(now.now, onto, now) }
  },
})

/** Ours is what the provider says, and both are what the model says. */
async function compare(world: BillingWorld, { subscription, subscriptionId }: Payer, now: model.Model) {
  const theirs = await world.stripe.subscriptions.retrieve(subscription)
  const ours = await world.db
    .selectFrom('subscription')
    .selectAll()
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const item = theirs.items.data[0]
  const seen = {
    status: theirs.status as string,
    cancelAt: theirs.cancel_at,
    cancelAtPeriodEnd: theirs.cancel_at_period_end,
    endedAt: theirs.ended_at,
    periodStart: item?.current_period_start,
  }
  const written = {
    status: ours.status as string,
    cancelAt: ours.cancelAt,
    cancelAtPeriodEnd: ours.cancelAtPeriodEnd,
    endedAt: ours.endedAt,
    periodStart: ours.currentPeriodStart,
  }
  expectSame('ours is not the provider’s', written, seen)
  const { status, endedAt } = now
  // What was planned for an end that came is history.
  const planned =
    status === 'canceled'
      ? { cancelAt: seen.cancelAt, cancelAtPeriodEnd: seen.cancelAtPeriodEnd }
      : { cancelAt: now.cancelAt, cancelAtPeriodEnd: now.cancelAtPeriodEnd }
  expectSame('the model says otherwise', written, {
    status,
    ...planned,
    endedAt,
    periodStart: now.period.start,
  })
  if (status !== 'canceled') expectSame('collection', ours.collection, now.collection)
  await compareHistory(world, subscriptionId, written)
}

/** The last stretch is how it stands; the database sees to the rest. */
async function compareHistory(
  world: BillingWorld,
  id: string,
  now: { readonly status: string; readonly cancelAt: number | null },
) {
  const [last] = await listHistory(world.db, id, { limit: 1 })
  expectSame(
    'history',
    { status: last?.status, cancelAt: last?.cancelAt },
    { status: now.status, cancelAt: now.cancelAt },
  )
  const slot = await world.db
    .selectFrom('subscriptionSlot')
    .select('subscriptionId')
    .where('subscriptionId', '=', id)
    .executeTakeFirst()
  expectSame('the slot is held exactly while it lives', slot !== undefined, now.status !== 'canceled')
}

/** Ends what lives, lets the last invoice be made, and counts the money of all lives together. */
async function finish(world: BillingWorld, payer: Payer, now: model.Model, lives: readonly Payer[]) {
  let last = now
  if (last.status !== 'canceled') {
    const command = end('us', 'keep')
    last = (await command.run(world, payer, last)).model
  }
  await world.deliver()
  for (const life of lives) await world.sync(life)
  await world.turn(payer, iso(last.now + 3 * 3600))
  await world.deliver()
  for (const life of lives) await world.sync(life)
  await world.deliver()
  const lines = (await world.atStripe(payer)).flatMap(({ lines: of }) => of)
  const sumOf = (isWanted: (line: string) => boolean) =>
    lines.filter(isWanted).reduce((sum, line) => sum + Number(line.split(' ')[0]), 0)
  expectSame(
    'usage is billed once',
    sumOf((line) => line.includes('Seconds')),
    last.usage,
  )
  expectSame(
    'fees are billed once',
    sumOf((line) => line.includes('Cloud')),
    last.fees,
  )
  const { data: notes } = await world.stripe.creditNotes.list({ customer: payer.customer, limit: 100 })
  const back = notes.reduce((sum, { amount }) => sum + amount, 0)
  expectSame('what is given back', back, last.givenBack)
  const { data: charges } = await world.stripe.charges.list({ customer: payer.customer, limit: 100 })
  const sumOfCharges = (of: 'amount_captured' | 'amount_refunded') =>
    charges.reduce((sum, charge) => sum + charge[of], 0)
  const [paid, refunded] = [sumOfCharges('amount_captured'), sumOfCharges('amount_refunded')]
  const customer = await world.stripe.customers.retrieve(payer.customer)
  // Credit that was spent was given back once, and may be again: what counts is what is left of it.
  const credit = customer.deleted ? 0 : Math.max(0, -customer.balance)
  if (refunded + credit > paid)
    throw new Error(`${refunded} refunded and ${credit} of credit, of ${paid} paid.`)
}

function expectSame(what: string, found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return
  throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
}
