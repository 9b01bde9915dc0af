import type { CheckoutRow } from '../rows.ts'
import type { World } from '../world.ts'
import type { PricedParams } from './checkout-fields.ts'

/** "The recovery URL for a session is usable for 30 days." */
const USABLE = 30 * 86_400

/** What an open session says of it: no address yet. https://docs.stripe.com/payments/checkout/abandoned-carts */
export function recoveryShown({ after_expiration: after }: PricedParams): CheckoutRow['after_expiration'] {
  if (after === undefined) return null
  const { recovery } = after
  if (recovery === undefined) return { recovery: null }
  const { enabled, allow_promotion_codes: codes = false } = recovery
  return { recovery: { allow_promotion_codes: codes, enabled, expires_at: null, url: null } }
}

/** What an expired one says: the address that opens a copy. */
export function recoverable(world: World, session: CheckoutRow): CheckoutRow['after_expiration'] {
  const after = session.after_expiration
  if (after?.recovery?.enabled !== true) return after
  return {
    recovery: {
      ...after.recovery,
      expires_at: world.now(session.own.clock) + USABLE,
      url: `${world.baseUrl}/_simulator/recover/${session.id}`,
    },
  }
}
