import type Stripe from 'stripe'
import type { PriceRow } from '../rows.ts'
import type { Shown } from '../shown.ts'

const rendered = new WeakMap<PriceRow, Shown<Stripe.Plan>>()

/** The legacy view of a recurring price; a row is rendered once. https://docs.stripe.com/api/plans/object */
export function renderPlan(price: PriceRow): Shown<Stripe.Plan> {
  let plan = rendered.get(price)
  if (plan === undefined) {
    const { recurring } = price
    if (recurring === null) throw new Error(`${price.id} is charged once and is no plan`)
    plan = {
      id: price.id,
      object: 'plan',
      active: price.active,
      amount: price.unit_amount,
      amount_decimal: price.unit_amount_decimal,
      billing_scheme: price.billing_scheme,
      created: price.created,
      currency: price.currency,
      interval: recurring.interval,
      interval_count: recurring.interval_count,
      livemode: false,
      metadata: price.metadata,
      meter: recurring.meter,
      nickname: price.nickname,
      product: price.product,
      tiers_mode: price.tiers_mode,
      transform_usage: price.transform_quantity,
      trial_period_days: recurring.trial_period_days,
      usage_type: recurring.usage_type,
    }
    rendered.set(price, plan)
  }
  return plan
}
