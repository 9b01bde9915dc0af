import { invalid, missing, StripeError } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { inRange, page, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { bool, either, integer, metadata, oneOf, range, required, shape, text } from '../http/schema.ts'
import type { PriceRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { mergeMetadata } from '../rules/metadata.ts'
import type { World } from '../world.ts'
import { amount, decimalAmount } from './amount-param.ts'
import { currency } from './currency-param.ts'
import { expandedProduct } from './expanded.ts'
import { liveProduct } from './lookup.ts'
import { changePrice, createPrice } from './make-price.ts'
import { renderPlan } from './plan-view.ts'
import { INTERVALS, type PriceParams, priceFields, trialDays } from './price-fields.ts'
import { refuseDefault } from './prices.ts'

const URL = '/v1/plans'
const { product_data: newProduct, recurring } = priceFields

/**
 * Recurring prices under their former name: a plan is a price with an id of the caller's choice, and each
 * change of either is told as both. https://docs.stripe.com/api/plans
 */
export const planRoutes = [
  post(
    URL,
    shape({
      id: text(),
      currency: required(currency),
      interval: required(oneOf(INTERVALS)),
      interval_count: integer({ min: 1 }),
      product: required(either(text(), newProduct)),
      active: bool,
      amount,
      amount_decimal: decimalAmount,
      billing_scheme: priceFields.billing_scheme,
      metadata,
      meter: recurring.fields.meter,
      nickname: text(),
      tiers: priceFields.tiers,
      tiers_mode: priceFields.tiers_mode,
      transform_usage: priceFields.transform_quantity,
      trial_period_days: trialDays,
      usage_type: recurring.fields.usage_type,
    }),
    ({ world, params }) => {
      if (params.id !== undefined && world.prices.get(params.id) !== undefined) {
        throw invalid('Plan already exists.', 'id', 'resource_already_exists')
      }
      const { active, billing_scheme, nickname, tiers, tiers_mode } = params
      const price = createPlan(world, params.id, {
        ...defined({ active, billing_scheme, nickname, tiers, tiers_mode }),
        currency: params.currency,
        metadata: params.metadata,
        ...(typeof params.product === 'string'
          ? { product: params.product }
          : { product_data: params.product }),
        recurring: {
          interval: params.interval,
          interval_count: params.interval_count,
          meter: params.meter,
          trial_period_days: params.trial_period_days,
          usage_type: params.usage_type,
        },
        transform_quantity: params.transform_usage,
        unit_amount: params.amount,
        unit_amount_decimal: params.amount_decimal,
      })
      return renderPlan(price)
    },
  ),
  get(`${URL}/:id`, nothing, ({ world, path }) => renderPlan(livePlan(world, path()))),
  post(
    `${URL}/:id`,
    shape({ active: bool, metadata, nickname: text(), product: text(), trial_period_days: trialDays }),
    ({ world, params, path }) => {
      const plan = livePlan(world, path())
      if (params.active === false) refuseDefault(world, plan)
      const { trial_period_days: days, product, metadata: labels, ...changes } = params
      if (product !== undefined && product !== plan.product) {
        liveProduct(world, product, 'product')
        if (isUsed(world, plan.id)) {
          throw invalid('The product of a plan that a subscription uses cannot be changed.', 'product')
        }
      }
      const next = changePrice(world, plan.id, {
        ...defined({ ...changes, product }),
        metadata: mergeMetadata(plan.metadata ?? {}, labels),
        ...(days === undefined || plan.recurring === null
          ? {}
          : { recurring: { ...plan.recurring, trial_period_days: days } }),
      } as Partial<PriceRow>)
      return renderPlan(next)
    },
  ),
  // Nobody can subscribe to it any more; who has it keeps it. https://docs.stripe.com/api/plans/delete
  del(`${URL}/:id`, nothing, ({ world, path }) => {
    const plan = livePlan(world, path())
    const gone = world.prices.patch(plan.id, { own: { ...plan.own, deleted: true } })
    world.emit('price.deleted', gone)
    world.emitSnapshot('plan.deleted', renderPlan(gone), null)
    return { id: plan.id, object: 'plan', deleted: true }
  }),
  get(URL, shape({ ...paging, active: bool, created: range, product: text() }), ({ world, params }) =>
    page(world.prices, params, {
      noun: 'plan',
      url: URL,
      where: params.product === undefined ? null : { index: 'product', key: params.product },
      matches: (row) =>
        row.recurring !== null &&
        !row.own.inline &&
        row.own.deleted !== true &&
        (params.active === undefined || row.active === params.active) &&
        inRange(row.created, params.created),
      render: renderPlan,
    }),
  ),
]

/** What a refusal calls by the names of prices a plan calls by its own. */
const OWN_NAMES: Record<string, string> = {
  unit_amount: 'amount',
  unit_amount_decimal: 'amount_decimal',
  transform_quantity: 'transform_usage',
}

function createPlan(world: World, id: string | undefined, params: PriceParams): PriceRow {
  try {
    return createPrice(world, params, false, id)
  } catch (error) {
    if (!(error instanceof StripeError)) throw error
    const { message, param, code } = error.body
    const inside = param === undefined ? undefined : (/^recurring\[(.*)\]$/.exec(param)?.[1] ?? param)
    throw invalid(
      message
        .replace('Prices require', 'Plans require')
        .replaceAll('unit_amount', 'amount')
        .replace(' prices can', ' plans can'),
      inside === undefined ? undefined : (OWN_NAMES[inside] ?? inside),
      code,
    )
  }
}

function livePlan(world: World, id: string): PriceRow {
  const price = world.prices.get(id)
  if (price === undefined || price.recurring === null || price.own.deleted === true) throw missing('plan', id)
  return price
}

function isUsed(world: World, plan: string): boolean {
  return world.subscriptionItems.all().some((item) => item.own.price === plan)
}

export const planExpansions: Expansions = {
  plan: {
    product: (world, plan) => expandedProduct(world, plan.product),
    tiers: (world, plan) => world.prices.must(plan.id as string).own.tiers ?? null,
  },
}
