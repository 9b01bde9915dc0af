import { change } from '../change.ts'
import type { Given } from '../given.ts'

const MOVED = {
  amount: 'unit_amount',
  currency: 'currency',
  description: 'product_data][description',
  images: 'product_data][images',
  name: 'product_data][name',
}

/** A line could say by itself what it sells and for how much. */
function priced(given: Given): void {
  for (const line of given.entries('line_items')) {
    for (const [name, newer] of Object.entries(MOVED)) {
      given.move(`${line}[${name}]`, `${line}[price_data][${newer}]`)
    }
  }
}

export const checkoutLines = change({
  since: '2022-08-01',
  what: 'Lines of a Checkout page name a price or the data of one; they could have a name and an amount.',
  source: 'https://docs.stripe.com/changelog/2022-08-01/replaces-line-item-create-checkout-session',
  accept: { 'POST /v1/checkout/sessions': priced },
})

export const checkoutCoupon = change({
  since: '2022-08-01',
  what: 'A Checkout page has discounts; its subscription could name a coupon.',
  source: 'https://docs.stripe.com/changelog/2022-08-01/removes-subscription-data-create-checkout-session',
  accept: {
    'POST /v1/checkout/sessions': (given) => given.move('subscription_data[coupon]', 'discounts[0][coupon]'),
  },
})

type Shipped = { readonly shipping_details: object | null }

export const checkoutShipping = change({
  since: '2022-08-01',
  what: 'A session tells where to ship to as its shipping details, and the rate under what shipping costs.',
  source: 'https://docs.stripe.com/changelog/2022-08-01/updates-shipping-property-checkout-session',
  show: {
    'checkout.session': {
      drop: ['shipping_cost', 'shipping_details'],
      give: {
        shipping: ({ shipping_details: details }: Shipped) => details,
        // There are no rates here.
        shipping_rate: (): string | null => null,
      },
    },
  },
  accept: { 'POST /v1/checkout/sessions': (given) => given.miss('shipping_rates') },
})
