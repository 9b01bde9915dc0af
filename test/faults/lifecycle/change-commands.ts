import { answered, expectSame } from './answers.ts'
import { HOUR } from './calendar.ts'
import type { Command } from './commands.ts'
import { lessDiscounts } from './discounts.ts'
import { iso, type Life } from './life.ts'
import * as model from './model.ts'
import { billOf, changed, changeTo, isKnown, type Outcome, type Wish } from './plan-changes.ts'
import type { PlanKey, Terms } from './plans.ts'
import type { Stage } from './stage.ts'

const plans: readonly PlanKey[] = ['free', 'small', 'plain', 'large', 'seats', 'year']

/** A change to anything, by the rules or against them; half of them previewed first and done as shown. */
export function changeCommands({ expected: now, random, kind }: Life): Command[] {
  // While collection is paused nobody pays for a change: refused, and little to be learnt from it often.
  if (now.collection !== 'charging' && random.below(4) > 0) return []
  // Whether what is pending waits again where the bank says no, Stripe does not say.
  if (now.pending.length > 0 && now.card === 'asks') return []
  const plan = random.pick(plans)
  const quantity = plan === 'seats' ? 1 + random.below(9) : 1
  const mayBe = (terms: Terms) => isKnown(now, terms, kind)
  const others = random.below(3) === 0 ? random.below(4) : now.terms.extras
  const asked = { plan, quantity, extras: plan === 'year' && random.below(4) > 0 ? 0 : others }
  const to = mayBe(asked) ? asked : { ...asked, extras: 0 }
  const [when] = random.pick([[], [], ['now'], ['periodEnd']] as const)
  const beside = { to: { ...now.terms, extras: random.below(4) }, when, isOfAddonsAlone: true }
  const back = { to: now.terms, when: undefined, isOfAddonsAlone: false }
  return [
    ...(mayBe(to) ? [change({ to, when, isOfAddonsAlone: false }, random.below(2) === 0)] : []),
    ...(mayBe(beside.to) && random.below(2) === 0 ? [change(beside, random.below(2) === 0)] : []),
    ...(now.scheduled === null ? [] : [change(back, false)]),
  ]
}

function name({ to: { plan, quantity, extras }, when, isOfAddonsAlone }: Wish): string {
  const ofPlan = isOfAddonsAlone ? '' : `${plan}${quantity === 1 ? '' : ` × ${quantity}`} with `
  return `${ofPlan}${extras} extras${when === undefined ? '' : ` ${when}`}`
}

/** As a request says it. An add-on that is not named stays as it is; several of a plan without a number are had, and never asked for. */
function payloadOf({ to: { extras, ...all }, when, isOfAddonsAlone }: Wish, now: Terms): object {
  const plan = all.plan === 'seats' || all.quantity === 1 ? all : { plan: all.plan }
  const addons = isOfAddonsAlone || extras !== now.extras ? [{ addon: 'extra', quantity: extras }] : []
  return {
    ...(!isOfAddonsAlone && plan),
    ...(addons.length > 0 && { addons }),
    ...(when !== undefined && { when }),
  }
}

export const change = (asked: Wish, isPreviewed: boolean): Command => ({
  name: `change to ${name(asked)}${isPreviewed ? ', previewed' : ''}`,
  isElsewhere: false,
  async run(stage, life) {
    const { expected, payer } = life
    const outcome = changeTo(expected, asked)
    const url = `/v1/subscriptions/${payer.subscriptionId}`
    const wish = payloadOf(asked, expected.terms)
    const token = isPreviewed ? await preview(stage, life, { url, wish, outcome, to: asked.to }) : undefined
    const payload = { ...wish, ...(token !== undefined && { preview: token }) }
    const answer = await answered(stage, { method: 'PATCH', url, payload }, statusOf(outcome))
    if (outcome.kind === 'refused') expectSame('refused', answer.body.code, outcome.code)
    return { model: outcome.model }
  },
})

interface Previewed {
  readonly url: string
  readonly wish: object
  readonly outcome: Outcome
  readonly to: Terms
}

/** What is shown is what the model bills. A declined card shows only when it is charged. */
async function preview(stage: Stage, { expected }: Life, { url, wish, outcome, to }: Previewed) {
  const isShown = outcome.kind !== 'refused' || outcome.byProvider === true
  const request = { method: 'POST', url: `${url}/preview`, payload: wish } as const
  const { body } = await answered(stage, request, isShown ? 200 : statusOf(outcome))
  if (!isShown) return undefined
  const shown = body.dueNow as Shown | null
  const isBilled =
    outcome.kind === 'done' && expected.status === 'active' && outcome.model.debits !== expected.debits
  const isAtOnce = isBilled || outcome.kind === 'held' || outcome.kind === 'refused'
  const total = billOf(expected, to).lines.reduce((sum, line) => sum + line, 0)
  expectSame('the preview', shown && feesOf(shown, expected), isAtOnce ? total : null)
  return body.token
}

interface Shown {
  readonly lines: readonly { readonly description: string; readonly amount: { readonly minor: string } }[]
  readonly total: { readonly minor: string }
}

/** Usage that waits for an invoice is on this one too, less the coupons. One is in the lines of a period that begins. */
function feesOf({ lines, total }: Shown, { discounts, now }: model.Model): number {
  const usage = lines.filter(({ description }) => description.includes('Seconds'))
  return usage.reduce(
    (rest, { amount }) => rest - lessDiscounts(Number(amount.minor), discounts, now),
    Number(total.minor),
  )
}

function statusOf(outcome: Outcome): number {
  if (outcome.kind === 'held') return 202
  if (outcome.kind !== 'refused') return 200
  const statuses: Readonly<Record<string, number>> = {
    card_declined: 402,
    payment_method_required: 402,
    empty_change: 400,
    subscription_not_changeable: 409,
    addon_mismatch: 422,
  }
  return statuses[outcome.code] ?? 0
}

/** The bank asks: answered with yes, with no, given up, or left until it is too late. */
export function heldCommands(now: model.Model): Command[] {
  const { held } = now
  if (held === null) return []
  const late = now.now + 25 * HOUR
  if (!held.isOurs) return [...(now.card === 'asks' ? [answerElsewhere()] : []), tooLate(late, true)]
  const isQuiet = [now.period.end, now.open?.dueAt ?? late, now.cancelAt ?? late].every((at) => at >= late)
  return [answer('succeed'), answer('fail'), giveUp(), ...(isQuiet ? [tooLate(late)] : [])]
}

async function pendingChange({ ask }: Stage, { payer }: Life): Promise<string> {
  const url = `/v1/subscriptions/${payer.subscriptionId}/changes`
  const { body } = await ask({ method: 'GET', url, key: '' })
  const [last] = body.data as { readonly id: string; readonly state: string }[]
  expectSame('it waits', last?.state, 'requiresAction')
  return `${url}/${last?.id}`
}

const answer = (outcome: 'succeed' | 'fail'): Command => ({
  name: `the bank is told to ${outcome}`,
  isElsewhere: false,
  isToBeHeard: true,
  async run(stage, life) {
    const { expected } = life
    const url = await pendingChange(stage, life)
    await tellBank(stage, life, outcome)
    // Half of them come back; of the others only an event tells.
    if (life.random.below(2) === 0) await stage.ask({ method: 'POST', url: `${url}/resume`, key: url })
    if (outcome === 'fail') return { model: model.letGo(expected) }
    if (expected.held === null) throw new Error('Nothing is held.')
    return { model: changed({ ...expected, held: null }, expected.held.to) }
  },
})

async function tellBank({ world }: Stage, { payer }: Life, outcome: 'succeed' | 'fail'): Promise<void> {
  const { data } = await world.stripe.paymentIntents.list({ customer: payer.customer, limit: 3 })
  const intent = data.find(({ status }) => status === 'requires_action')
  if (!intent) throw new Error('No payment waits for its customer.')
  world.simulator.control.authenticate(intent.id, outcome)
}

const answerElsewhere = (): Command => ({
  name: 'the bank is told to succeed',
  isElsewhere: true,
  async run(stage, life) {
    await tellBank(stage, life, 'succeed')
    const { expected } = life
    if (expected.held === null) throw new Error('Nothing is held.')
    const { to } = expected.held
    return { model: changed({ ...expected, held: null }, to, billOf(expected, to, false)) }
  },
})

const giveUp = (): Command => ({
  name: 'the change is given up',
  isElsewhere: false,
  isToBeHeard: true,
  async run(stage, life) {
    const url = await pendingChange(stage, life)
    await answered(stage, { method: 'POST', url: `${url}/cancel` }, 200)
    return { model: model.letGo(life.expected) }
  },
})

const tooLate = (to: number, isElsewhere = false): Command => ({
  name: `unanswered until ${iso(to)}`,
  isElsewhere,
  isToBeHeard: !isElsewhere,
  async run({ world }, { payer, expected }) {
    await world.turn(payer, iso(to))
    return { model: model.advance(expected, to) }
  },
})
