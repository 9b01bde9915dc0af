import type Stripe from 'stripe'
import { seeded } from '../../support/random.ts'
import { gainOf, servedNow } from './books.ts'
import { DAY } from './calendar.ts'
import { change } from './change-commands.ts'
import { type Command, end, reactivate, turn } from './commands.ts'
import { couponCommands } from './coupon-commands.ts'
import { type Life, newLife } from './life.ts'
import * as model from './model.ts'
import { paymentCommands } from './payment-commands.ts'
import { changeTo } from './plan-changes.ts'
import { type PlanKey, prices } from './plans.ts'
import { reasonOf } from './reason.ts'
import { wander } from './restless.ts'
import { newStage, type Stage } from './stage.ts'

export interface Robbed {
  readonly moves: number
  readonly seed: number
  /** Each begins with `seed N`. */
  readonly breaches: readonly string[]
}

const MOVES_EACH = 40

/** A move, and what the model says the customer then has. */
interface Move {
  readonly command: Command
  readonly wealth: number
}

/**
 * Every second customer does whatever comes to mind (restless.ts). The others do whatever makes them richest at once (switch and switch back, end with the rest given back,
 * begin anew). None gains: what they were served, at list price, is no more than what the seller keeps of their money.
 */
export async function playAdversary({
  runs,
  seed,
}: {
  readonly runs: number
  readonly seed: number
}): Promise<Robbed> {
  const stage = await newStage()
  const breaches: string[] = []
  let [moves, next] = [0, seed]
  try {
    for (; moves < runs; next += 1) {
      const breach = next % 2 === 0 ? await rob(stage, next) : await roam(stage, next)
      if (breach !== undefined) breaches.push(`seed ${next}: ${breach}`)
      moves += MOVES_EACH
    }
  } finally {
    await stage.close()
  }
  return { moves, seed: next, breaches }
}

function roam(stage: Stage, seed: number): Promise<string | undefined> {
  const weather = seeded(seed + 1_000_000_007)
  return wander(stage, seed, MOVES_EACH, () => stage.settle(weather))
}

async function rob(stage: Stage, seed: number): Promise<string | undefined> {
  const life = await newLife(stage, seed, 'greedy')
  const weather = seeded(seed + 1_000_000_007)
  let served = 0
  try {
    await stage.settle(weather)
    for (let number = 0; number < MOVES_EACH; number += 1) {
      const command = next(life)
      life.told.push(command.name)
      const { worth } = await servedNow(stage, life.payer.customer, life.expected.now)
      const since = life.expected.now
      const { model: expected, payer } = await command.run(stage, life)
      if (payer) Object.assign(life, { payer, payers: [...life.payers, payer] })
      served += worth * (expected.now - since)
      await stage.settle(weather)
      life.expected = model.heard(expected)
    }
    await stage.world.stripe.subscriptions.cancel(life.payer.subscription).catch(unlessOver)
    const had = { customer: life.payer.customer, now: life.expected.now, served, tried: 0 }
    const gain = await gainOf(stage, had)
    return gain && `${life.told.join('; ')}\n    ${gain}`
  } catch (error) {
    return `${life.told.join('; ')}\n    ${reasonOf(error)}`
  }
}

/** Half of what is done makes the customer richest at once; time passes, and now and then a coupon or a card comes and goes. */
function next(life: Life): Command {
  const { random, expected: now } = life
  const others = [...couponCommands(life), ...paymentCommands(life)]
  switch (random.below(6)) {
    case 0:
    case 1:
      return passing(life)
    case 2:
      return now.status === 'canceled' || others.length === 0 ? greediest(life) : random.pick(others)
    default:
      return greediest(life)
  }
}

function unlessOver(error: unknown): void {
  if ((error as Stripe.errors.StripeError).code !== 'resource_missing') throw error
}

/** Never over the end of a period, or over a try to collect, which may end it: then what is served would be of two plans. */
function passing({ expected, random }: Life): Command {
  const { now, period, status, open } = expected
  const most = status === 'canceled' ? DAY : Math.min(period.end, open?.dueAt ?? period.end) - now
  return turn(now + 1 + random.below(Math.min(most, 40 * DAY)))
}

/** What makes the customer richest by the model, the first of several; time where nothing does. */
function greediest(life: Life): Command {
  const { expected: now } = life
  if (now.status === 'canceled') return reactivate(life)
  const moves = [...changes(life), ...endings(now)]
  const [first] = moves
  if (first === undefined) return passing(life)
  return moves.reduce((best, one) => (one.wealth > best.wealth ? one : best), first).command
}

function changes({ expected, random }: Life): Move[] {
  const plans = random.shuffle(Object.keys(prices).filter((plan) => plan !== 'trying') as PlanKey[])
  return plans.flatMap((plan) => {
    const quantity = plan === 'seats' ? 1 + random.below(9) : 1
    const extras = plan === 'year' ? 0 : random.below(4)
    const wish = { to: { plan, quantity, extras }, when: 'now', isOfAddonsAlone: false } as const
    const outcome = changeTo(expected, wish)
    return outcome.kind === 'done' ? [{ command: change(wish, false), wealth: wealthOf(outcome.model) }] : []
  })
}

function endings(now: model.Model): Move[] {
  if (model.unusedOfAll(now).cents === 0 || now.status !== 'active' || now.collection !== 'charging')
    return []
  return (['credit', 'refund'] as const)
    .filter((how) => model.unusedAmount(now, how) > 0)
    .map((how) => ({ command: end('us', how), wealth: wealthOf(model.cancelNow(now, how)) }))
}

/** What was had and is still to be had, and money, less what was paid for it. */
function wealthOf(now: model.Model): number {
  const { accounts, period, status, terms } = now
  const left = (period.end - now.now) / (period.end - period.start)
  const rest = status === 'active' ? model.feeOf(now, terms) * left : 0
  return accounts.served + rest + accounts.credit + accounts.refunded - accounts.paid
}
