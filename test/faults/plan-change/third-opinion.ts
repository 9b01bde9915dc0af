import type Stripe from 'stripe'
import type { Payer } from '../../../packages/service/test/support/billing-world.ts'
import type { Stage } from '../lifecycle/stage.ts'
import { type PlanName, rhythms } from './wares.ts'

/** What a subscription runs on; the numbers of the add-ons that it has. */
export interface Terms {
  readonly currency: string
  readonly plan: PlanName
  readonly quantity: number
  readonly addons: Readonly<Record<string, number>>
}

export interface Change {
  readonly from: Terms
  readonly to: Terms
  /** Added to those that it has. */
  readonly coupon: string | undefined
  readonly endsTrial: boolean
  readonly at: number
}

type ItemParam = Stripe.InvoiceCreatePreviewParams.SubscriptionDetails.Item

interface PriceAtStripe {
  readonly id: string
  /** Of the smallest coin. */
  readonly each: number
  readonly quantity: number
}

/**
 * Asks Stripe itself what a change comes to, in the words of its documentation and not in ours: an item gets another
 * price or number, is added or deleted; the time is the customer's own.
 * https://docs.stripe.com/api/invoices/create_preview
 */
export async function askStripe(stage: Stage, payer: Payer, change: Change): Promise<Stripe.Invoice> {
  const { stripe } = stage.world
  const { items, discounts } = await stripe.subscriptions.retrieve(payer.subscription, {
    expand: ['discounts'],
  })
  const [before, after] = [await pricesOf(stage, change.from), await pricesOf(stage, change.to)]
  const there = new Map(items.data.map(({ id, price, quantity }) => [price.id, { id, quantity }]))
  const isWanted = new Set(after.map(({ id }) => id))
  const gone = items.data.filter(({ price }) => !isWanted.has(price.id)).map(({ id }) => id)
  const wanted = after.flatMap(({ id: price, quantity }): ItemParam[] => {
    const same = there.get(price)
    if (same !== undefined) return same.quantity === quantity ? [] : [{ id: same.id, quantity }]
    const replaced = gone.shift()
    return [{ ...(replaced !== undefined && { id: replaced }), price, quantity }]
  })
  const deleted = gone.map((id): ItemParam => ({ id, deleted: true }))
  const coupon = change.coupon && (await couponOf(stage, change.coupon))
  const standing = discounts.filter((one) => typeof one === 'object')
  // What runs already is had once, however often it is asked for.
  const isRunning = standing.some(({ source }) => source.coupon === coupon)
  return stripe.invoices.createPreview({
    subscription: payer.subscription,
    subscription_details: {
      items: [...wanted, ...deleted],
      proration_behavior: 'always_invoice',
      proration_date: change.at,
      ...(change.endsTrial
        ? { trial_end: 'now' as const }
        : startsPeriod(change, before, after) && { billing_cycle_anchor: { type: 'now' as const } }),
    },
    ...(coupon && !isRunning && { discounts: [...standing.map(({ id }) => ({ discount: id })), { coupon }] }),
  })
}

/** Another rhythm, or the first that costs something: a whole period is paid for. */
function startsPeriod(
  { from, to }: Change,
  before: readonly PriceAtStripe[],
  after: readonly PriceAtStripe[],
): boolean {
  const [one, other] = [rhythms[from.plan], rhythms[to.plan]]
  const isOther = one.interval !== other.interval || one.intervalCount !== other.intervalCount
  return isOther || (costOf(before) === 0 && costOf(after) > 0)
}

const costOf = (prices: readonly PriceAtStripe[]) =>
  prices.reduce((sum, { each, quantity }) => sum + each * quantity, 0)

async function pricesOf(
  { world }: Stage,
  { currency, plan, quantity, addons }: Terms,
): Promise<PriceAtStripe[]> {
  const { rows } = await world.pool.query<{ sold: string; id: string; isFlat: boolean }>(
    `select coalesce(plan.plan_key, addon.addon_key) as sold, mapping.provider_id as id,
            price.model = 'flat' as "isFlat"
       from price
       join mapping on mapping.entity_id = price.id and mapping.entity_type = 'price'
       left join plan_version plan on plan.id = price.plan_version_id
       left join addon_version addon on addon.id = price.addon_version_id
      where price.currency = $1
      order by addon.addon_key nulls first, price.position`,
    [currency],
  )
  const numbers = new Map([[plan as string, quantity], ...Object.entries(addons)])
  const sold = rows.flatMap((row) => {
    const number = numbers.get(row.sold.slice(currency.length + 1)) ?? 0
    return number > 0 ? [{ id: row.id, quantity: row.isFlat ? 1 : number }] : []
  })
  return Promise.all(
    sold.map(async (one) => ({
      ...one,
      each: (await world.stripe.prices.retrieve(one.id)).unit_amount ?? 0,
    })),
  )
}

async function couponOf({ world }: Stage, key: string): Promise<string> {
  const { rows } = await world.pool.query<{ id: string }>(
    `select provider_id as id from mapping where entity_type = 'coupon' and entity_id = $1`,
    [key],
  )
  const [coupon] = rows
  if (coupon === undefined) throw new Error(`Stripe has no coupon ${key}.`)
  return coupon.id
}

export interface Line {
  readonly amount: number
  readonly description: string | null
}

/**
 * Whether two invoices say the same, line by line. Of a discount on several lines Stripe does not say where the odd
 * coin falls, and it depends on how the change is worded: each coupon may move one coin of a line. Without any they are equal.
 * https://docs.stripe.com/billing/subscriptions/billing-mode
 */
export function sayTheSame(
  one: readonly Line[],
  other: readonly Line[],
  { coupons }: { readonly coupons: number },
): boolean {
  const [a, b] = [inOrder(one), inOrder(other)]
  return (
    a.length === b.length &&
    a.every(({ amount, description }, index) => {
      const like = b[index]
      return description === like?.description && Math.abs(amount - like.amount) <= coupons
    })
  )
}

function inOrder(lines: readonly Line[]): Line[] {
  return lines.toSorted(
    (a, b) => (a.description ?? '').localeCompare(b.description ?? '') || a.amount - b.amount,
  )
}
