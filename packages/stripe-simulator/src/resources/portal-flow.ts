import { itemsOf } from '../billing/periods.ts'
import { invalid } from '../errors.ts'
import { integer, list, oneOf, type Params, required, shape, text } from '../http/schema.ts'
import type { PortalConfigurationRow, PortalRow, SubscriptionRow } from '../rows.ts'
import type { World } from '../world.ts'
import { liveCoupon } from './coupons.ts'
import { find } from './lookup.ts'

type Flow = NonNullable<PortalRow['flow']>

/** A page for one deed instead of the whole portal. https://docs.stripe.com/customer-management/portal-deep-links */
export const flowParam = shape({
  type: required(
    oneOf([
      'customer_update',
      'payment_method_update',
      'subscription_cancel',
      'subscription_pause',
      'subscription_update',
      'subscription_update_confirm',
    ] as const),
  ),
  after_completion: shape({
    type: required(oneOf(['hosted_confirmation', 'portal_homepage', 'redirect'] as const)),
    hosted_confirmation: shape({ custom_message: text(500) }),
    redirect: shape({ return_url: required(text()) }),
  }),
  subscription_cancel: shape({
    subscription: required(text()),
    retention: shape({
      type: required(oneOf(['coupon_offer'] as const)),
      coupon_offer: required(shape({ coupon: required(text()) })),
    }),
  }),
  subscription_update: shape({ subscription: required(text()) }),
  subscription_update_confirm: shape({
    subscription: required(text()),
    items: required(list(shape({ id: required(text()), price: text(), quantity: integer({ min: 0 }) }), 1)),
    discounts: list(shape({ coupon: text(), promotion_code: text() }), 1),
  }),
  subscription_pause: shape({ subscription: required(text()) }),
})

export type FlowGiven = Params<typeof flowParam.fields>

/** The flow as it is shown; what it names must be the customer's, and the configuration must allow it. */
export function flowOf(
  world: World,
  flow: FlowGiven,
  customer: string,
  configuration: PortalConfigurationRow,
): Flow {
  const { features } = configuration
  const { type } = flow
  const feature = type === 'subscription_update_confirm' ? 'subscription_update' : type
  if (!features[feature].enabled) {
    throw invalid(disabled(feature), 'flow_data[type]')
  }
  const confirm = type === 'subscription_update_confirm' ? part(flow, type) : null
  const shown = {
    after_completion: afterCompletion(flow),
    customer_update: type === 'customer_update' ? {} : null,
    subscription_cancel:
      type === 'subscription_cancel'
        ? { retention: retentionOf(world, part(flow, type)), subscription: part(flow, type).subscription }
        : null,
    subscription_pause:
      type === 'subscription_pause' ? { subscription: part(flow, type).subscription } : null,
    subscription_update:
      type === 'subscription_update' ? { subscription: part(flow, type).subscription } : null,
    subscription_update_confirm:
      confirm === null
        ? null
        : {
            discounts:
              confirm.discounts?.map((row) => ({
                coupon: row.coupon ?? null,
                promotion_code: row.promotion_code ?? null,
              })) ?? null,
            items: confirm.items.map(({ id, price, quantity }) => ({
              id,
              price: price ?? null,
              ...(quantity === undefined ? {} : { quantity }),
            })),
            subscription: confirm.subscription,
          },
    type,
  } as Flow
  const id = subscriptionOf(shown)
  if (id !== null) {
    const subscription = ofCustomer(world, customer, id, `flow_data[${type}][subscription]`)
    if (type === 'subscription_cancel' && subscription.cancel_at !== null) {
      // As recorded, with `cancel_at` too.
      throw invalid(`The subscription ${id} is already set to be canceled at period end.`)
    }
  }
  if (confirm !== null) checkConfirmed(world, confirm, configuration)
  return shown
}

/** Of a change of plan as recorded; of the others in the same words. */
function disabled(feature: string): string {
  const name = feature.replaceAll('_', ' ')
  if (feature !== 'subscription_update') {
    return `This flow cannot be used because the ${name} feature in the portal configuration is disabled.`
  }
  return `This subscription cannot be updated because the ${name} feature in the portal configuration is disabled.`
}

function retentionOf(
  world: World,
  { retention }: NonNullable<FlowGiven['subscription_cancel']>,
): NonNullable<Flow['subscription_cancel']>['retention'] {
  if (retention === undefined) return null
  const { coupon } = retention.coupon_offer
  liveCoupon(world, coupon, 'flow_data[subscription_cancel][retention][coupon_offer][coupon]')
  return { coupon_offer: { coupon }, type: 'coupon_offer' }
}

function subscriptionOf(flow: Flow): string | null {
  const about =
    flow.subscription_cancel ??
    flow.subscription_pause ??
    flow.subscription_update ??
    flow.subscription_update_confirm
  return about?.subscription ?? null
}

/** A subscription of the portal's customer; anybody else's is refused. */
export function ofCustomer(world: World, customer: string, id: string, param: string): SubscriptionRow {
  const subscription = find(world.subscriptions, 'subscription', id, param)
  if (subscription.customer !== customer) {
    throw invalid('The subscription does not belong to the customer.', param)
  }
  return subscription
}

function part<
  T extends
    | 'subscription_cancel'
    | 'subscription_pause'
    | 'subscription_update'
    | 'subscription_update_confirm',
>(flow: FlowGiven, type: T): NonNullable<FlowGiven[T]> {
  const given = flow[type]
  if (given != null) return given
  const param = `flow_data[${type}]`
  throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
}

function afterCompletion({ after_completion: after }: FlowGiven): Flow['after_completion'] {
  if (after?.type === 'redirect' && after.redirect === undefined) {
    const param = 'flow_data[after_completion][redirect]'
    throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
  }
  return {
    hosted_confirmation:
      after?.type === 'hosted_confirmation'
        ? { custom_message: after.hosted_confirmation?.custom_message ?? null }
        : null,
    redirect: after?.type === 'redirect' && after.redirect !== undefined ? after.redirect : null,
    type: after?.type ?? 'portal_homepage',
  }
}

/** What is proposed must be offered, and change something. The words as recorded. */
function checkConfirmed(
  world: World,
  confirm: NonNullable<FlowGiven['subscription_update_confirm']>,
  { id: configuration, features }: PortalConfigurationRow,
): void {
  const at = 'flow_data[subscription_update_confirm]'
  const items = itemsOf(world, confirm.subscription)
  const offered = (features.subscription_update.products ?? []).flatMap(({ prices }) => prices)
  let isSame = (confirm.discounts ?? []).length === 0
  for (const [i, { id, price, quantity }] of confirm.items.entries()) {
    const item = items.find((one) => one.id === id)
    if (item === undefined) {
      throw invalid(`No such subscription item: '${id}'`, `${at}[items][${i}][id]`, 'resource_missing')
    }
    if (price !== undefined) find(world.prices, 'price', price, `${at}[items][${i}][price]`)
    const isOther = price !== undefined && price !== item.own.price
    if (isOther && !offered.includes(price)) {
      throw invalid(
        `The item \`${id}\` cannot be updated to price \`${price}\` because the configuration \`${configuration}\` does not include the price in its \`features[subscription_update][products]\`.`,
      )
    }
    if (isOther || (quantity ?? item.quantity) !== item.quantity) isSame = false
  }
  if (isSame) throw invalid('Cannot update the subscription because there are no changes to confirm.')
  for (const [i, { coupon, promotion_code: code }] of (confirm.discounts ?? []).entries()) {
    if (coupon !== undefined) find(world.coupons, 'coupon', coupon, `${at}[discounts][${i}][coupon]`)
    if (code !== undefined) {
      find(world.promotionCodes, 'promotion code', code, `${at}[discounts][${i}][promotion_code]`)
    }
  }
}
