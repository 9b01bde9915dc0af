import type Stripe from 'stripe'
import { callStripe } from '../../provider/stripe/call.ts'
import type { LookDeps } from '../look.ts'

/** A product or a price of ours is in use again at the provider. Again, it changes nothing. */
export async function takeBack(
  deps: LookDeps,
  operation: string,
  type: 'product' | 'price',
  { id: subjectId, providerId }: { readonly id: string; readonly providerId: string },
): Promise<void> {
  const body = { active: true }
  const intention = { id: operation, kind: `${type}.update`, subjectId, body, repeatable: true }
  await callStripe<Stripe.Product | Stripe.Price, typeof body>(deps, intention, (stripe, options) =>
    type === 'product'
      ? stripe.products.update(providerId, body, options)
      : stripe.prices.update(providerId, body, options),
  )
}
