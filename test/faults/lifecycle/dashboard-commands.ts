import * as money from './accounts.ts'
import type { Command } from './commands.ts'
import { atProvider } from './coupon-commands.ts'
import type { Life } from './life.ts'
import type { Model } from './model.ts'
import { billOf, changed, changedUnbilled, totalOf } from './plan-changes.ts'
import { EXTRA_CENTS, type PlanKey, prices, type Terms } from './plans.ts'
import type { Stage } from './stage.ts'

const plans = (Object.keys(prices) as PlanKey[]).filter((plan) => prices[plan].months === 1)
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
    changeInDashboard(to, 'none'),
    ...(isBilledWell(now, to) ? [changeInDashboard(to, 'always_invoice')] : []),
    ...(mayWait(now, to) ? [changeInDashboard(to, 'create_prorations')] : []),
  ]
}

/** What the card does not pay leaves the change standing and its invoice open: a story of its own. */
function isBilledWell(now: Model, to: Terms): boolean {
  if (now.status === 'trialing') return true
  if (now.status !== 'active' || now.collection !== 'charging') return false
  return now.card === 'pays' || money.settled(now.accounts, totalOf(billOf(now, to, false))).charge === 0
}

/**
 * Beginning to pay is billed at once whatever is said, and what is pending at a planned end is collected after it: a story
 * of its own.
 */
function mayWait({ status, cancelAt, terms }: Model, to: Terms): boolean {
  const beginsToPay = prices[terms.plan].cents === 0 && prices[to.plan].cents > 0
  return status === 'active' && cancelAt === null && !beginsToPay
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
    return { model: changed(now, to, billOf(now, to, false)) }
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
