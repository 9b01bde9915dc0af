import type { Payer } from '../../../packages/service/test/support/billing-world.ts'
import { answered, expectSame } from './answers.ts'
import { DAY, HOUR } from './calendar.ts'
import { changeCommands, heldCommands } from './change-commands.ts'
import { couponCommands } from './coupon-commands.ts'
import { dashboardCommands, payInDashboard } from './dashboard-commands.ts'
import { cards, iso, type Life } from './life.ts'
import * as model from './model.ts'
import { paymentCommands, payWith, refundCommands } from './payment-commands.ts'
import { EVEN_CENTS } from './plans.ts'
import { scheduleCommands } from './schedule-commands.ts'
import type { Answer, Stage } from './stage.ts'

export interface Command {
  readonly name: string
  /** It happens at the provider or by itself: nobody asks us. */
  readonly isElsewhere: boolean
  /** What it comes to depends on our hearing of all that was before it, and of it. */
  readonly isToBeHeard?: boolean
  run(stage: Stage, life: Life): Promise<{ readonly model: model.Model; readonly payer?: Payer }>
}

const collections = ['keepAsDraft', 'markUncollectible', 'void'] as const
/** Where a command is given: by our API, or by somebody in the provider's dashboard. */
const places = ['us', 'dashboard'] as const

/** Moments to go to of which one is chosen, beside everything else that may be done. */
const TIMES = 3

/** What may be said at this moment: time always passes, the rest depends on how it stands. */
export function candidates(life: Life): Command[] {
  const { expected: now, random } = life
  if (now.held !== null) return heldCommands(now)
  if (now.open?.dueAt === Number.POSITIVE_INFINITY) return awaitedCommands(now)
  const passing = random.shuffle(times(life)).slice(0, TIMES).map(turn)
  if (now.status === 'canceled')
    return [
      ...[...passing, ...passing, reactivate(life)],
      ...(life.kind === 'paying' ? refundCommands(now, random) : []),
    ]
  const place = random.pick(places)
  // Whose schedule decides over the end refuses one that is planned otherwise.
  const planner = now.isManaged ? 'us' : place
  const date = now.now + (1 + random.below(50)) * DAY + random.below(DAY)
  return [
    ...passing,
    ...(life.kind === 'metered'
      ? [usage(amountOfUsage(life)), usage(amountOfUsage(life))]
      : paymentCommands(life)),
    ...couponCommands(life),
    ...dashboardCommands(life),
    ...scheduleCommands(life),
    ...changeCommands(life),
    ...changeCommands(life),
    end(place, 'keep'),
    ...(isGivenBack(now) ? [endWithMoney(life), ...(now.paid.length > 1 ? [endWithMoney(life)] : [])] : []),
    ...(now.pending.length === 0 ? [planEnd(planner, 'periodEnd'), planEnd(planner, date)] : []),
    ...(now.cancelAt !== null || now.collection !== 'charging' ? [goOn(), goOn()] : []),
    // What was made before collection was paused is a story of its own.
    ...(now.open === null && now.accounts.credit === 0 && now.pending.length === 0
      ? [pause(random.pick(collections))]
      : []),
  ]
}

/** What a draft credits that an end stops is a story of its own. */
function isGivenBack(now: model.Model): boolean {
  const isUnused = model.unusedOfAll(now).cents > 0
  const credits = now.open?.lines.some(({ cents }) => cents < 0) ?? false
  return isUnused && now.status === 'active' && now.collection === 'charging' && !credits
}

/** To the balance, or to the card where it is known how much of the usage that paid. */
function endWithMoney({ expected: now, kind, random }: Life): Command {
  const isByCard = now.accounts.credit === 0 && now.paid.every(({ total, charge }) => total === charge)
  const isKnown = kind === 'paying' || (isByCard && now.isCreditKnown)
  return end('us', isKnown ? random.pick(['credit', 'refund'] as const) : 'credit')
}

/** An invoice that nobody tries to collect until somebody says so: well before the next one comes, which is a story of its own. */
function awaitedCommands(now: model.Model): Command[] {
  return [
    ...(now.card === 'pays' ? [payInDashboard(), payInDashboard()] : [payWith('pays')]),
    ...(now.period.end > now.now + 6 * HOUR ? [turn(now.now + HOUR)] : []),
    ...places.map((place) => end(place, 'keep')),
  ]
}

/** So many that every coupon leaves whole cents of it, where there may be one: any of them, or all together. */
function amountOfUsage({ random, coupons }: Life): number {
  return coupons.length > 0 ? EVEN_CENTS * (1 + random.below(3)) : 1 + random.below(500)
}

function times({ expected: now, random }: Life): number[] {
  const boundaries =
    now.status === 'canceled'
      ? []
      : [now.period.end, now.period.end - 1, ...(now.open ? [now.open.dueAt] : []), now.cancelAt ?? 0]
  return [
    now.now + HOUR,
    now.now + 3 * HOUR,
    now.now + (1 + random.below(20)) * DAY,
    ...boundaries.filter((at) => at > now.now),
  ]
}

export const turn = (to: number): Command => ({
  name: `to ${iso(to)}`,
  isElsewhere: true,
  async run({ world }, { payer, expected }) {
    await world.turn(payer, iso(to))
    return { model: model.advance(expected, to) }
  },
})

const usage = (quantity: number): Command => ({
  name: `use ${quantity}`,
  isElsewhere: false,
  async run({ world }, { payer, expected }) {
    await world.use(payer, String(quantity), iso(expected.now))
    if (quantity % 2 === 0) await world.sync(payer)
    return { model: model.use(expected, quantity) }
  },
})

const pathOf = ({ subscriptionId }: Payer) => `/v1/subscriptions/${subscriptionId}`

/** A deed by our API, answered with 200. */
async function deed(stage: Stage, { payer }: Life, name: string, payload?: object): Promise<Answer['body']> {
  const url = `${pathOf(payer)}/${name}`
  return (await answered(stage, { method: 'POST', url, ...(payload && { payload }) }, 200)).body
}

export const end = (place: (typeof places)[number], unusedTime: model.UnusedTime): Command => ({
  name: `cancel now, ${unusedTime}, by ${place}`,
  isElsewhere: place === 'dashboard',
  async run(stage, life) {
    const { expected: now } = life
    if (place === 'dashboard') await stage.world.stripe.subscriptions.cancel(life.payer.subscription)
    else if (unusedTime === 'keep') await deed(stage, life, 'cancel', { when: 'now', unusedTime })
    else await endGivingBack(stage, life, unusedTime)
    return { model: model.cancelNow(now, unusedTime) }
  },
})

interface Shown {
  readonly minor: string
}
type Kept = readonly { readonly reason: string; readonly amount: Shown }[]

/** What is given back is what the model says, shown before and answered after; that and what stays come to what is unused. */
async function endGivingBack(stage: Stage, life: Life, unusedTime: 'credit' | 'refund'): Promise<void> {
  const { expected: now } = life
  const wish = { when: 'now', unusedTime }
  const shown = await deed(stage, life, 'cancel/preview', wish)
  // Nothing moves between the two: the token holds.
  const { givenBack } = await deed(stage, life, 'cancel', { ...wish, preview: shown.token })
  const { amount, notGivenBack, problem } = givenBack as {
    amount: Shown
    notGivenBack: Kept
    problem: unknown
  }
  const back = Number(amount.minor)
  expectSame('the preview of an end', [shown.toGiveBack, shown.notGivenBack], [amount, notGivenBack])
  expectSame('given back', [back, problem], [model.unusedAmount(now, unusedTime), null])
  const whole = notGivenBack.reduce((sum, one) => sum + Number(one.amount.minor), back)
  expectSame('what is unused', whole, model.unusedOfAll(now).cents)
}

const planEnd = (place: (typeof places)[number], when: 'periodEnd' | number): Command => ({
  name: `cancel ${when === 'periodEnd' ? when : iso(when)} by ${place}`,
  isElsewhere: place === 'dashboard',
  async run(stage, life) {
    const { payer, expected } = life
    if (place === 'us') await deed(stage, life, 'cancel', when === 'periodEnd' ? { when } : { at: iso(when) })
    else
      await stage.world.stripe.subscriptions.update(
        payer.subscription,
        when === 'periodEnd'
          ? { cancel_at_period_end: true }
          : { cancel_at: when, proration_behavior: 'none' },
      )
    return { model: model.planEnd(expected, when) }
  },
})

const goOn = (): Command => ({
  name: 'resume',
  isElsewhere: false,
  async run(stage, life) {
    await deed(stage, life, 'resume')
    return { model: model.resume(life.expected) }
  },
})

const pause = (collection: (typeof collections)[number]): Command => ({
  name: `pause ${collection}`,
  isElsewhere: false,
  async run(stage, life) {
    await deed(stage, life, 'pause', { collection })
    return { model: model.pause(life.expected, collection) }
  },
})

/** By whoever administers, who may give a trial once more. */
export function reactivate({ payer, expected, random }: Life): Command {
  const plan = random.pick(['plain', 'trying', 'large'] as const)
  const withCard = expected.card === 'pays' ? {} : { paymentMethod: cards.pays }
  const { extras } = expected.terms
  const withoutAddons = random.below(3) === 0 ? { addons: [] } : {}
  const terms = { plan, quantity: 1, extras: 'addons' in withoutAddons ? 0 : extras }
  const withTrial = plan === 'trying' && random.below(2) === 0
  return {
    name: `begin anew on ${plan} with ${terms.extras} extras${withTrial ? ' and a trial' : ''}`,
    isElsewhere: false,
    async run(stage) {
      const url = `${pathOf(payer)}/reactivate`
      const trial = withTrial ? { trial: 'again' } : {}
      const payload = { plan, quantity: 1, ...withCard, ...withoutAddons, ...trial }
      const { body } = await answered(stage, { method: 'POST', url, payload }, 201)
      const again = { terms, card: 'pays', discounts: [], withTrial } as const
      return {
        payer: { ...payer, subscriptionId: String(body.id), subscription: String(body.providerId) },
        model: model.begin(expected.now, again, expected),
      }
    },
  }
}
