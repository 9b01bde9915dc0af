import { addDue } from '../store/due.ts'
import { ActionRequired } from './journal.ts'
import { customerTime } from './observe/customer-time.ts'
import type { Purchase, PurchaseDeps } from './purchase/strategy.ts'
import { PATIENCE_SECONDS, registrationDeadline } from './registration-deadline.ts'
import type { RequiredAction } from './registration-record.ts'

/** Waits for the customer, until a deadline in the customer's own time. A step throws this, and is begun again. */
export async function awaitCustomer(
  { db, clock }: PurchaseDeps,
  {
    workflowId,
    customer,
  }: Pick<Purchase, 'workflowId'> & { readonly customer: Pick<Purchase['customer'], 'id'> },
  { type, url }: Omit<RequiredAction, 'expiresAt'>,
): Promise<ActionRequired> {
  const now = await customerTime(db, clock, customer.id)
  const expiresAt = await addDue(db, {
    customerId: customer.id,
    kind: registrationDeadline.kind,
    subjectId: workflowId,
    dueAt: now + PATIENCE_SECONDS,
    at: clock.now(),
  })
  return new ActionRequired({ type, url, expiresAt } satisfies RequiredAction)
}
