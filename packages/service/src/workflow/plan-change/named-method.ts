import { Problem } from '@lockstep/core/problem'
import { holderOf } from '../../provider/stripe/named-method.ts'
import { isLeftBehind } from '../../store/customer-erasures.ts'
import { aboutMethod } from '../customer-at-provider.ts'
import { LEFT_PAYS_NOTHING } from '../left-methods.ts'
import type { LookDeps } from '../look.ts'

/**
 * Refuses a payment method that the deed would not get attached: one that does not exist, is another customer's, or was left by
 * somebody who was forgotten. Whether it pays only the deed can tell.
 */
export async function refuseUnusableMethod(
  deps: LookDeps,
  customer: { readonly id: string; readonly providerId: string },
  paymentMethod: string,
): Promise<void> {
  if (await isLeftBehind(deps.db, customer.id, paymentMethod))
    throw aboutMethod(new Problem('payment_method_required', LEFT_PAYS_NOTHING))
  const holder = await holderOf(deps, paymentMethod).catch((error: unknown) => {
    throw aboutMethod(error)
  })
  if (holder === undefined || holder === null || holder === customer.providerId) return
  throw aboutMethod(new Problem('provider_refused', `${paymentMethod} belongs to another customer.`))
}
