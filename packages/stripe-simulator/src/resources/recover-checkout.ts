import { invalid } from '../errors.ts'
import type { CheckoutRow } from '../rows.ts'
import type { World } from '../world.ts'
import { insertSession } from './checkout-sessions.ts'

/** "When the customer opens this URL, it creates a new Checkout Session that's a copy of the original expired session." */
export function recoverCheckout(world: World, id: string): CheckoutRow {
  const session = world.checkouts.get(id)
  const recovery = session?.after_expiration?.recovery
  if (session === undefined || recovery?.url == null) throw invalid('This page cannot be recovered.')
  if (world.now(session.own.clock) >= (recovery.expires_at ?? 0)) throw invalid('This address has expired.')
  const { expires_at: _past, allow_promotion_codes: _before, ...same } = session.own.params
  const copy = {
    ...same,
    // A code takes the place of the discount, and a page that takes codes has none.
    ...(recovery.allow_promotion_codes ? { allow_promotion_codes: true, discounts: undefined } : {}),
    line_items: same.line_items?.map((line) => ({ ...line, id: world.ids.next('li') })),
  }
  return insertSession(world, copy, session.id)
}
