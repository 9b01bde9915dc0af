import { dropDiscounts } from '../billing/discounts.ts'
import { gap, StripeError } from '../errors.ts'
import { del, nothing } from '../http/route.ts'
import type { DiscountRow, Json } from '../rows.ts'
import type { World } from '../world.ts'
import { customerDiscount, discountCustomer } from './discounts.ts'
import { find, liveCustomer } from './lookup.ts'
import { refuseOver } from './subscription-verbs.ts'

/** https://docs.stripe.com/api/discounts/delete and .../discounts/subscription_delete */
export const deleteDiscountRoutes = [
  del('/v1/customers/:id/discount', nothing, ({ world, path }) => {
    const customer = liveCustomer(world, path())
    const discount = customerDiscount(world, customer.id)
    if (discount === undefined) throw noDiscount('customer', customer.id)
    discountCustomer(world, customer, null)
    return deletedDiscount(world, discount)
  }),
  del('/v1/subscriptions/:id/discount', nothing, ({ world, path }) => {
    const subscription = find(world.subscriptions, 'subscription', path())
    refuseOver(subscription, 'relieved of its discount')
    const { id, discounts } = subscription
    const [only, ...others] = discounts as string[]
    if (only === undefined) throw noDiscount('subscription', id)
    // "The currently applied discount" is not said to be one of several, or all of them.
    if (others.length > 0) throw gap('deleting the discount of a subscription that has several')
    dropDiscounts(world, id, [only])
    world.emit('customer.subscription.updated', world.subscriptions.must(id))
    return deletedDiscount(world, world.discounts.must(only))
  }),
]

function deletedDiscount(world: World, discount: DiscountRow): Json {
  const { end: _end, ...kept } = world.render(discount)
  return { ...kept, deleted: true }
}

function noDiscount(noun: string, id: string): StripeError {
  return new StripeError(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No active discount for ${noun}: ${id}`,
  })
}
