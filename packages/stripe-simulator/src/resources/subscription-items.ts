import type Stripe from 'stripe'
import { isMetered } from '../billing/metered.ts'
import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import type { Params } from '../http/schema.ts'
import type { PriceRow, SubscriptionItemRow } from '../rows.ts'
import type { Shown } from '../shown.ts'
import type { World } from '../world.ts'
import { expandedDiscounts } from './expanded.ts'
import { inlinePrice } from './inline-price.ts'
import { find, liveProduct } from './lookup.ts'
import { renderPlan } from './plan-view.ts'
import { renderPrice } from './prices.ts'
import type { itemFields } from './subscription-fields.ts'
import { renderRates } from './tax-rates.ts'

type InlinePrice = Params<typeof itemFields>['price_data']

/** The price of an item: named, or made on the spot for this item alone. */
export function itemPrice(
  world: World,
  {
    price: named,
    plan,
    price_data: data,
  }: { price?: string | undefined; plan?: string | undefined; price_data?: InlinePrice },
  at: string,
): PriceRow {
  if (named !== undefined && plan !== undefined) {
    throw invalid('You may only specify one of these parameters: plan, price.', `${at}[plan]`)
  }
  const price = named ?? plan
  if (data === undefined) return recurringPrice(world, price, `${at}[price]`)
  if (price !== undefined) {
    throw invalid('You may only specify one of these parameters: price, price_data.', `${at}[price]`)
  }
  liveProduct(world, data.product, `${at}[price_data][product]`)
  return inlinePrice(world, data, at)
}

/** A price that a subscription can hold. */
function recurringPrice(world: World, id: string | undefined, param: string): PriceRow {
  if (id === undefined) throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
  const price = find(world.prices, 'price', id, param)
  if (price.recurring === null) {
    throw invalid(
      `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
      param,
    )
  }
  if (price.own.deleted === true || (!price.active && !price.own.inline)) {
    throw invalid('The price specified is inactive. This field only accepts active prices.', param)
  }
  // As recorded: https://github.com/stripe/stripe-go/issues/1031
  const product = world.products.get(price.product as string)
  if (product !== undefined && !product.active && !price.own.inline) {
    throw invalid(
      `The product ${product.id} is marked as inactive, and thus no new subscriptions can be created to any plans of this product. You provided the plan ${price.id}.`,
      param,
    )
  }
  return price
}

/** How many of it, 1 unless said; a metered price counts by itself. */
export function itemQuantity(price: PriceRow, asked: number | undefined, at: string): number | undefined {
  if (!isMetered(price)) return asked ?? 1
  if (asked === undefined) return undefined
  throw invalid(
    `Quantity should not be specified where usage_type is \`metered\`. Remove quantity from \`${at}\`.`,
    `${at}[quantity]`,
  )
}

export function renderSubscriptionItem(
  world: World,
  row: SubscriptionItemRow,
): Shown<Stripe.SubscriptionItem> {
  const price = world.prices.must(row.own.price)
  const rates = renderRates(world, row.tax_rates)
  return world.subscriptionItems.shown(row, [price, ...rates], () => {
    return {
      ...row,
      own: undefined,
      plan: renderPlan(price),
      price: renderPrice(world, price),
      tax_rates: rates,
    }
  })
}

export const subscriptionItemExpansions: Expansions = {
  subscription_item: {
    discounts: (world, row) => expandedDiscounts(world, row.discounts),
  },
}
