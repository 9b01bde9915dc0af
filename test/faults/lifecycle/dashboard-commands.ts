import * as money from './accounts.ts'
import { DAY } from './calendar.ts'
import type { Command } from './commands.ts'
import { atProvider } from './coupon-commands.ts'
import type { Life } from './life.ts'
import { collect, type Model } from './model.ts'
import { type Bill, billOf, changed, changedAndDue, changedUnbilled, totalOf } from './plan-changes.ts'
import { EXTRA_CENTS, type PlanKey, prices, type Terms } from './plans.ts'
import type { Stage } from './stage.ts'

const plans = (Object.keys(prices) as PlanKey[]).filter((plan) => prices[plan].months === 1)
/** From the first try of a payment until the last: three more, after three, five and seven days. */
const LONGEST_DUNNING = 15 * DAY

type Prorations = 'always_invoice' | 'create_prorations' | 'none'

/**
 * Another plan or number, chosen in the provider's dashboard: billed there at once, with the next invoice, or not at
 * all. Between plans of a month, whose periods go on.
 */
export function dashboardCommands({ expected: now, random }: Life): Command[] {
  if (now.isManaged || prices[now.terms.plan].months !== 1) return []
  const plan = random.pick(plans)
  const several = random.below(4) === 0 ? 2 + random.below(3) : 1
  const to = { ...now.terms, plan, quantity: plan === 'seats' ? 1 + random.below(9) : several }
  if (plan === now.terms.plan && to.quantity === now.terms.quantity) return []
  return [
    // What is pending is billed at once then.
    ...(now.pending.length > 0 && beginsToPay(now, to) ? [] : [changeInDashboard(to, 'none')]),
    ...(isBilledWell(now, to) ? [changeInDashboard(to, 'always_invoice')] : []),
    ...(mayWait(now, to) ? [changeInDashboard(to, 'create_prorations')] : []),
  ]
}

function isPaid({ card, accounts }: Model, bill: Bill): boolean {
  return card === 'pays' || money.settled(accounts, totalOf(bill)).charge === 0
}

/** What the card does not pay leaves the change standing and its invoice open, until the next one comes: a story of its own. */
function isBilledWell(now: Model, to: Terms): boolean {
  if (now.status === 'trialing') return true
  if (now.status !== 'active' || now.collection !== 'charging') return false
  if (isPaid(now, billOf(now, to, false))) return true
  // The bank that asks is answered elsewhere.
  const isOverBefore = now.period.end > now.now + LONGEST_DUNNING && now.cancelAt === null
  return now.card !== 'asks' && now.open === null && isOverBefore
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

const changeInDashboard = (to: Terms, prorations: Prorations): Command => ({
  name: `the dashboard changes to ${to.plan} × ${to.quantity}, ${prorations}`,
  isElsewhere: true,
  async run(stage, { payer, expected: now }) {
    const { stripe } = stage.world
    const { items } = await stripe.subscriptions.retrieve(payer.subscription)
    const item = items.data.find(({ price }) => price.unit_amount !== EXTRA_CENTS)
    if (!item) throw new Error('There is no item of the plan.')
    await stripe.subscriptions.update(payer.subscription, {
      items: [{ id: item.id, price: await priceOf(stage, to.plan), quantity: to.quantity }],
      proration_behavior: prorations,
    })
    if (prorations === 'none' || now.status === 'trialing') return { model: { ...now, terms: to } }
    if (prorations === 'create_prorations') return { model: changedUnbilled(now, to) }
    const bill = billOf(now, to, false)
    return { model: isPaid(now, bill) ? changed(now, to, bill) : collect(changedAndDue(now, to)) }
  },
})

async function priceOf(stage: Stage, plan: PlanKey): Promise<string> {
  const { rows } = await stage.world.pool.query<{ id: string }>(
    `select price.id from price join plan_version on plan_version.id = price.plan_version_id
      where plan_version.plan_key = $1 and price.key = 'fee'`,
    [plan],
  )
  return atProvider(stage, 'price', rows[0]?.id ?? '')
}
