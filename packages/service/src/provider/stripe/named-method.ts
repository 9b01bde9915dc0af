import type { Provider } from './account.ts'
import { readStripe } from './call.ts'
import { idOrNull } from './field.ts'

/**
 * Whom a payment method is attached to; null for nobody yet. Undefined where that cannot be asked: test cards
 * (`pm_card_visa`) are names of methods that are made when they are used, and older kinds are read elsewhere.
 * https://docs.stripe.com/testing#cards
 */
export async function holderOf(
  deps: { readonly provider: Provider },
  paymentMethod: string,
): Promise<string | null | undefined> {
  if (!/^pm_[0-9A-Za-z]+$/.test(paymentMethod)) return undefined
  const method = await readStripe(deps, (stripe) => stripe.paymentMethods.retrieve(paymentMethod))
  return idOrNull(method.customer, 'customer')
}
