import type { PaymentIntentRow } from '../rows.ts'
import type { World } from '../world.ts'

/**
 * What the customer has to do next: a page to be sent to, when there is somewhere to come back to, or else
 * something for Stripe.js. Behind both is the same page. https://docs.stripe.com/api/payment_intents/object
 */
export function challengeOf(
  world: World,
  intent: string,
  returnUrl: string | undefined,
): PaymentIntentRow['next_action'] {
  const url = `${world.baseUrl}/_simulator/intents/${intent}`
  if (returnUrl !== undefined) {
    return { type: 'redirect_to_url', redirect_to_url: { url, return_url: returnUrl } }
  }
  const sdk = { type: 'three_d_secure_redirect', source: world.ids.next('src'), stripe_js: url }
  return { type: 'use_stripe_sdk', use_stripe_sdk: sdk as never }
}
