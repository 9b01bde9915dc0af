import type Stripe from 'stripe'
import { idOf } from './field.ts'

/** What a list is asked for, so that it shows discounts with their coupons: four names is as deep as an answer can be expanded. */
export const expandDiscounts = {
  customer: ['data.discount.source.coupon'],
  subscription: ['data.discounts.source.coupon'],
}

export interface Unfolded<T> {
  /** As an event would show it: with ids. */
  readonly object: T
  readonly discounts: readonly Stripe.Discount[]
}

export function unfoldCustomer(customer: Stripe.Customer): Unfolded<Stripe.Customer> {
  const { discount } = customer
  if (!discount || typeof discount.source.coupon !== 'object') return { object: customer, discounts: [] }
  const { source } = discount
  const coupon = source.coupon && idOf(source.coupon)
  return {
    object: { ...customer, discount: { ...discount, source: { ...source, coupon } } },
    discounts: [discount],
  }
}

export function unfoldSubscription(subscription: Stripe.Subscription): Unfolded<Stripe.Subscription> {
  const { discounts } = subscription
  return {
    object: { ...subscription, discounts: discounts.map(idOf) },
    discounts: discounts.filter((one): one is Stripe.Discount => typeof one === 'object'),
  }
}
