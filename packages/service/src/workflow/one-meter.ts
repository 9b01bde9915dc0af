import { Problem } from '@lockstep/core/problem'
import type { Trx } from '../postgres/connect.ts'
import { lockPayer, metersBilledElsewhere } from '../store/subscriptions.ts'

interface Billing {
  readonly customerId: string
  readonly subscriptionId: string
  readonly planVersionId: string
}

/**
 * Usage is the customer's, not a subscription's: two that price one meter would bill every event twice. What was made
 * at Stripe cannot be undone here, so it is not taken up until a person has said which of the two is to go.
 */
export async function refuseDoubleMeter(trx: Trx, billing: Billing): Promise<void> {
  const [meter] = await metersBilledAsWell(trx, billing)
  if (meter === undefined) return
  throw new Problem(
    'meter_billed_already',
    `Another live subscription of ${billing.customerId} bills ${meter} already: end one of the two.`,
  )
}

/** Until this transaction ends the answer stays what it is. */
export async function metersBilledAsWell(trx: Trx, billing: Billing): Promise<string[]> {
  await lockPayer(trx, billing.customerId)
  return metersBilledElsewhere(trx, billing)
}
