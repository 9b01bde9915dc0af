import { Problem } from '@lockstep/core/problem'
import { adjustInvoice } from '@lockstep/service/invoice/adjust'
import { applyCatalog } from '@lockstep/service/workflow/apply-catalog'
import type { BillingWorld, Payer } from '../../../packages/service/test/support/billing-world.ts'
import type { Random } from '../../support/random.ts'
import type { Expected } from './check.ts'
import type { LaidCoupon } from './check-end.ts'
import { catalog, coinsOf, type PlanKey, plans, revisedCatalog } from './wares.ts'

/** Of a hundredth of a currency's unit. */
const AMOUNT_OFF = 150n

/** What else may come to a subscription while its usage is told. Each to some, as the seed says. */
export function newBurdens(world: BillingWorld, payer: Payer, plan: PlanKey, random: Random) {
  const { stripe, pool } = world
  const { subscription, subscriptionId } = payer
  const adjusted = new Map<string, bigint>()
  const names: string[] = []
  const coupons: LaidCoupon[] = []
  let changedAt: number | null = null
  let counter = 0

  /** It comes off at Stripe, and no item says less for it. Nobody else has the coupon, and nobody can redeem it again. */
  async function discount(): Promise<void> {
    const kind = random.pick(['half', 'once', 'amount'] as const)
    const duration = kind === 'once' ? 'once' : 'forever'
    const amount = coinsOf(plan) * AMOUNT_OFF
    const off =
      kind === 'amount' ? { amount_off: Number(amount), currency: plans[plan].currency } : { percent_off: 50 }
    const coupon = await stripe.coupons.create({ ...off, duration, max_redemptions: 1 })
    await stripe.subscriptions.update(subscription, { discounts: [{ coupon: coupon.id }] })
    coupons.push({ kind, amount })
    names.push(`coupon ${kind}`)
  }

  /**
   * Another plan, whose prices have other keys, or a new version of its own, whose prices have the same. The period that
   * runs goes on by the one that it began with.
   */
  async function change(): Promise<void> {
    const { other } = plans[plan]
    if (other === null) return
    if (random.below(2) === 0) return changeTo(other, other)
    const deps = { ...world.deps, workflows: world.workflows }
    await applyCatalog(deps, revisedCatalog(plan))
    await changeTo(plan, 'new version')
    // Whoever comes after this one begins as this one did.
    await applyCatalog(deps, catalog)
  }

  /** To the newest version of a plan, in the dashboard. */
  async function changeTo(planKey: string, name: string): Promise<void> {
    const { rows } = await pool.query<{ price: string }>(
      `select m.provider_id as price from mapping m join price p on p.id = m.entity_id
         join plan_version v on v.id = p.plan_version_id where m.entity_type = 'price' and v.plan_key = $1
       order by v.version desc limit 1`,
      [planKey],
    )
    const seen = await stripe.subscriptions.retrieve(subscription)
    const [item] = seen.items.data
    if (!item || !rows[0]) throw new Error(`There is no price of ${planKey}.`)
    await stripe.subscriptions.update(subscription, {
      items: [{ id: item.id, price: rows[0].price }],
      proration_behavior: 'none',
    })
    changedAt = Date.UTC(2026, 1, 10, 10, 20, 30) / 1000
    names.push(name)
  }

  /** Support charges or credits something on the invoice that runs. */
  async function adjust(): Promise<void> {
    const current = (await world.invoices(payer)).findLast(({ status }) => status === 'current')
    if (!current) return
    counter += 1
    const kind = random.pick(['charge', 'credit'] as const)
    const minor = coinsOf(plan) * BigInt(1 + random.below(300))
    const much = { minor, currency: current.currency }
    const id = `adjustment_${subscriptionId}_${counter}`
    const wanted = { id, kind, much, description: 'Support', agent: null, supersedes: null }
    try {
      await adjustInvoice(world.db, current.id, wanted, {
        by: 'faults',
        at: current.periodStart,
        reason: 'It was promised',
      })
    } catch (error) {
      if (error instanceof Problem && error.code === 'invoice_frozen') return
      throw error
    }
    adjusted.set(current.id, (adjusted.get(current.id) ?? 0n) + (kind === 'charge' ? minor : -minor))
    names.push(kind)
  }

  return {
    /** Before the period ends. */
    async lay(): Promise<void> {
      if (random.below(3) === 0) await discount()
      if (random.below(3) === 0) await change()
      if (random.below(3) === 0) await adjust()
    },

    /** In the period after it. */
    async adjust(): Promise<void> {
      if (random.below(3) === 0) await adjust()
    },

    names: () => names,
    laid: (): Pick<Expected, 'changedAt' | 'adjusted' | 'coupon'> => ({
      ...{ changedAt, adjusted },
      coupon: coupons[0] ?? null,
    }),
  }
}
