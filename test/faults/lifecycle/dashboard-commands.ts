import { isDeepStrictEqual } from 'node:util'
import Stripe from 'stripe'
import * as money from './accounts.ts'
import { DAY, HOUR } from './calendar.ts'
import type { Command } from './commands.ts'
import { atProvider } from './coupon-commands.ts'
import type { Life } from './life.ts'
import { collect, type Model } from './model.ts'
import {
  awaiting,
  type Bill,
  besideScheduled,
  billOf,
  changed,
  changedAndDue,
  changedUnbilled,
  heldElsewhere,
  isKnown,
  totalOf,
} from './plan-changes.ts'
import { EXTRA_CENTS, type PlanKey, prices, type Terms } from './plans.ts'
import type { Stage } from './stage.ts'

const plans = (Object.keys(prices) as PlanKey[]).filter((plan) => prices[plan].months === 1)
/** From the first try of a payment until the last: three more, after three, five and seven days. */
const LONGEST_DUNNING = 15 * DAY
/** As long as a change waits for its payment, and longer. */
const LONGEST_WAIT = 25 * HOUR

type Prorations = 'always_invoice' | 'create_prorations' | 'none'
type Behavior = 'allow_incomplete' | 'default_incomplete' | 'error_if_incomplete' | 'pending_if_incomplete'

/**
 * Another plan or number, or another number of extras, chosen in the provider's dashboard: billed there at once, with
 * the next invoice, or not at all. Between plans of a month, whose periods go on.
 */
export function dashboardCommands(life: Life): Command[] {
  const { expected: now, random, kind } = life
  if (prices[now.terms.plan].months !== 1) return []
  if (now.isManaged) return now.scheduled === null ? [] : besideCommands(now, now.scheduled, { random, kind })
  const plan = random.pick(plans)
  const several = random.below(4) === 0 ? 2 + random.below(3) : 1
  const to = { ...now.terms, plan, quantity: plan === 'seats' ? 1 + random.below(9) : several }
  if (plan === now.terms.plan && to.quantity === now.terms.quantity) return []
  const beside = { ...(random.below(2) === 0 ? now.terms : to), extras: random.below(4) }
  const mayBe = (terms: Terms) => isKnown(now, terms, kind)
  const isOther = beside.extras !== now.terms.extras && mayBe(beside)
  return [
    ...(isOther && isBilledWell(now, beside) ? [changeInDashboard(beside, 'always_invoice')] : []),
    ...(isOther && mayWait(now, beside) ? [changeInDashboard(beside, 'create_prorations')] : []),
    ...(mayBe(to) ? ofPlan(life, to, random.pick(behaviors)) : []),
  ]
}

/** The same while something is scheduled, which comes with what stands by then. Whose first payment begins a period moves its end: a story of its own. */
function besideCommands(
  now: Model,
  { plan: next }: Terms,
  { random, kind }: Pick<Life, 'random' | 'kind'>,
): Command[] {
  const plan = random.pick(random.below(2) === 0 ? plans : [now.terms.plan])
  const several = random.below(4) === 0 ? 2 + random.below(3) : 1
  const quantity = plan === 'seats' ? 1 + random.below(9) : several
  const extras = prices[next].months === 1 && random.below(2) === 0 ? random.below(4) : now.terms.extras
  const to = { plan, quantity, extras }
  const { scheduled } = besideScheduled(now, to)
  const mayBe = (terms: Terms) => isKnown(now, terms, kind)
  if (isDeepStrictEqual(to, now.terms) || beginsToPay(now, to) || ![to, scheduled ?? to].every(mayBe))
    return []
  const isBeside = { isBeside: true }
  return [
    changeInDashboard(to, 'none', isBeside),
    ...(isBilledWell(now, to) ? [changeInDashboard(to, 'always_invoice', isBeside)] : []),
    ...(mayWait(now, to) ? [changeInDashboard(to, 'create_prorations', isBeside)] : []),
  ]
}

function ofPlan({ expected: now, kind }: Life, to: Terms, behavior: Behavior): Command[] {
  // Whether usage that waits alone is to be paid for, the model does not know.
  const isUsageNoMatter =
    kind === 'paying' || behavior !== 'default_incomplete' || charges(now, billOf(now, to, false))
  return [
    // What is pending is billed at once then.
    ...(now.pending.length > 0 && beginsToPay(now, to) ? [] : [changeInDashboard(to, 'none')]),
    ...(isBilledWell(now, to) ? [changeInDashboard(to, 'always_invoice')] : []),
    ...(isUsageNoMatter && isToldWell(now, behavior)
      ? [changeInDashboard(to, 'always_invoice', { behavior })]
      : []),
    ...(mayWait(now, to) ? [changeInDashboard(to, 'create_prorations')] : []),
  ]
}

const behaviors = ['default_incomplete', 'error_if_incomplete', 'pending_if_incomplete'] as const

function isPaid(now: Model, bill: Bill): boolean {
  return now.card === 'pays' || !charges(now, bill)
}

/** Whether its fees leave anything for the card to pay. */
const charges = ({ accounts }: Model, bill: Bill) => money.settled(accounts, totalOf(bill)).charge > 0

/** What the card does not pay leaves the change standing and its invoice open, until the next one comes: a story of its own. */
function isBilledWell(now: Model, to: Terms): boolean {
  if (now.status === 'trialing') return true
  if (now.status !== 'active' || now.collection !== 'charging') return false
  if (isPaid(now, billOf(now, to, false))) return true
  // The bank that asks is answered elsewhere.
  return now.card !== 'asks' && now.open === null && isQuiet(now, LONGEST_DUNNING)
}

/** What becomes of the change is decided long before anything else happens. What is pending on an invoice that is voided, Stripe does not say. */
function isToldWell(now: Model, behavior: Behavior): boolean {
  if (now.status !== 'active' || now.collection !== 'charging' || now.open !== null) return false
  if (behavior === 'error_if_incomplete') return true
  return now.pending.length === 0 && isQuiet(now, LONGEST_WAIT)
}

function isQuiet({ period, now, cancelAt }: Model, seconds: number): boolean {
  return period.end > now + seconds && cancelAt === null
}

/**
 * Beginning to pay is billed at once whatever is said, and what is pending at a planned end is collected after it: a story
 * of its own. What becomes of credit on an invoice that is not collected, Stripe does not say.
 */
function mayWait(now: Model, to: Terms): boolean {
  const isCollected = now.status === 'active' && now.collection === 'charging'
  return isCollected && now.cancelAt === null && !beginsToPay(now, to)
}

function beginsToPay({ terms }: Model, to: Terms): boolean {
  return prices[terms.plan].cents === 0 && prices[to.plan].cents > 0
}

interface Told {
  readonly behavior?: Behavior
  /** Of something that is scheduled. */
  readonly isBeside?: boolean
}

const changeInDashboard = (
  to: Terms,
  prorations: Prorations,
  { behavior = 'allow_incomplete', isBeside = false }: Told = {},
): Command => ({
  name: `the dashboard changes to ${to.plan} × ${to.quantity} with ${to.extras} extras, ${prorations}${behavior === 'allow_incomplete' ? '' : `, ${behavior}`}`,
  // Behind a schedule what nobody hears of in time is lost with the period, as documented.
  isElsewhere: !isBeside,
  isToBeHeard: isBeside,
  async run(stage, { payer, expected: now }) {
    const { stripe } = stage.world
    const { items } = await stripe.subscriptions.retrieve(payer.subscription)
    const outcome = outcomeOf(now, to, { prorations, behavior })
    const told = stripe.subscriptions.update(payer.subscription, {
      items: await itemsOf(stage, items.data, now.terms, to),
      proration_behavior: prorations,
      payment_behavior: behavior,
    })
    if (outcome === 'refused') await refused(told)
    else await told
    return { model: outcome === 'refused' ? now : { ...outcome, ...besideScheduled(now, to) } }
  },
})

/** What is changed of the items that stand: the plan's, and the add-on's. */
async function itemsOf(
  stage: Stage,
  items: readonly Stripe.SubscriptionItem[],
  now: Terms,
  { plan, quantity, extras }: Terms,
): Promise<Stripe.SubscriptionUpdateParams.Item[]> {
  const isExtra = ({ price }: Stripe.SubscriptionItem) => price.unit_amount === EXTRA_CENTS
  const item = items.find((one) => !isExtra(one))
  if (!item) throw new Error('There is no item of the plan.')
  const isOther = plan !== now.plan || quantity !== now.quantity
  const ofPlan = { id: item.id, price: await priceOf(stage, plan), quantity }
  const had = items.find(isExtra)
  const more = had ? { id: had.id, quantity: extras } : { price: await priceOfExtra(stage), quantity: extras }
  const ofExtras = had && extras === 0 ? { id: had.id, deleted: true } : more
  return [...(isOther ? [ofPlan] : []), ...(extras === now.extras ? [] : [ofExtras])]
}

/** Of an invoice that waits for somebody to confirm its payment: that is done, on its page or by whoever has the dashboard. */
export const payInDashboard = (): Command => ({
  name: 'the invoice is paid in the dashboard',
  isElsewhere: true,
  async run({ world: { stripe } }, { payer, expected: now }) {
    const { data } = await stripe.invoices.list({ subscription: payer.subscription, status: 'open' })
    const [invoice, ...others] = data
    if (!invoice || others.length > 0 || now.open === null) throw new Error('One invoice is to be open.')
    await stripe.invoices.pay(invoice.id)
    return { model: collect({ ...now, open: now.open }) }
  },
})

/** By https://docs.stripe.com/api/subscriptions/update#update_subscription-payment_behavior */
function outcomeOf(
  now: Model,
  to: Terms,
  { prorations, behavior }: { readonly prorations: Prorations; readonly behavior: Behavior },
): Model | 'refused' {
  if (prorations === 'none' || now.status === 'trialing') return { ...now, terms: to }
  if (prorations === 'create_prorations') return changedUnbilled(now, to)
  const bill = billOf(now, to, false)
  if (behavior === 'default_incomplete' && charges(now, bill)) return awaiting(now, to)
  if (isPaid(now, bill)) return changed(now, to, bill)
  if (behavior === 'error_if_incomplete') return 'refused'
  return behavior === 'pending_if_incomplete' ? heldElsewhere(now, to, bill) : collect(changedAndDue(now, to))
}

async function refused(told: Promise<unknown>): Promise<void> {
  try {
    await told
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError && [400, 402].includes(error.statusCode ?? 0)) return
    throw error
  }
  throw new Error('What nobody pays is not refused.')
}

async function priceOf(stage: Stage, plan: PlanKey): Promise<string> {
  const { rows } = await stage.world.pool.query<{ id: string }>(
    `select price.id from price join plan_version on plan_version.id = price.plan_version_id
      where plan_version.plan_key = $1 and price.key = 'fee'`,
    [plan],
  )
  return atProvider(stage, 'price', rows[0]?.id ?? '')
}

async function priceOfExtra(stage: Stage): Promise<string> {
  const { rows } = await stage.world.pool.query<{ id: string }>(
    `select price.id from price join addon_version on addon_version.id = price.addon_version_id
      where addon_version.addon_key = 'extra' and price.key = 'each'`,
  )
  return atProvider(stage, 'price', rows[0]?.id ?? '')
}
