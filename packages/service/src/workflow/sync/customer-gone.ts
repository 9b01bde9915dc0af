import { isFrozen } from '@lockstep/core/invoice'
import { isTerminal } from '@lockstep/core/subscription'
import { concludePeriods } from '../../invoice/conclude.ts'
import { invoicesToRate } from '../../store/invoices.ts'
import { providerIdOf } from '../../store/mappings.ts'
import type { LookDeps } from '../look.ts'
import { customerTime } from '../observe/customer-time.ts'

/**
 * Closes what is left of a subscription whose customer was deleted at the provider: no invoice can be made for who is not
 * there. A customer who is only linked to none at this moment may be linked again, and is waited for.
 */
export async function concludeWithoutCustomer(
  { db, clock }: Pick<LookDeps, 'db' | 'clock'>,
  subscriptionId: string,
): Promise<void> {
  const found = await db
    .selectFrom('subscription')
    .innerJoin('customer', 'customer.id', 'subscription.customerId')
    .select(['subscription.status', 'subscription.customerId', 'customer.deletedAtProvider'])
    .where('subscription.id', '=', subscriptionId)
    .executeTakeFirst()
  if (!found || found.deletedAtProvider === null || !isTerminal(found.status)) return
  if ((await providerIdOf(db, 'customer', found.customerId)) !== undefined) return
  const left = (await invoicesToRate(db, subscriptionId)).filter(
    ({ status, planVersionId }) => !isFrozen(status) && planVersionId !== null,
  )
  await concludePeriods(db, left, 'nobodyToBill', await customerTime(db, clock, found.customerId))
}
