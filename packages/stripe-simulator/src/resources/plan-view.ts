import type { Json, PriceRow } from '../rows.ts'

const rendered = new WeakMap<PriceRow, Json>()

/** The legacy view of a recurring price; a row is rendered once. https://docs.stripe.com/api/plans/object */
export function renderPlan(price: PriceRow): Json {
  let plan = rendered.get(price)
  if (plan === undefined) {
    plan = {
      id: price.id,
      object: 'plan',
      active: price.active,
      amount: price.unit_amount,
      amount_decimal: price.unit_amount_decimal,
      billing_scheme: price.billing_scheme,
      created: price.created,
      currency: price.currency,
      interval: price.recurring?.interval,
      interval_count: price.recurring?.interval_count,
      livemode: false,
      metadata: price.metadata,
      meter: price.recurring?.meter ?? null,
      nickname: price.nickname,
      product: price.product,
      tiers_mode: price.tiers_mode,
      transform_usage: price.transform_quantity,
      trial_period_days: price.recurring?.trial_period_days ?? null,
      usage_type: price.recurring?.usage_type ?? 'licensed',
    }
    rendered.set(price, plan)
  }
  return plan
}
