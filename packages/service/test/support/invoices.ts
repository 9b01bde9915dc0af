import { newId } from '../../src/ids.ts'
import type { Db } from '../../src/postgres/connect.ts'
import { sqlTime } from '../../src/store/time.ts'

/** A subscription in the tables only, for tests of what hangs on it. */
export async function addSubscription(db: Db, customerId: string): Promise<string> {
  const created = { createdAt: sqlTime(0) }
  await db
    .insertInto('product')
    .values({ key: 'cloud', name: 'Cloud', ...created })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await db
    .insertInto('plan')
    .values({ key: 'plan', ...created })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await db
    .insertInto('planVersion')
    .values({
      id: 'plan_version_1',
      planKey: 'plan',
      version: 1,
      name: 'Plan',
      audience: 'public',
      productKey: 'cloud',
      currency: 'usd',
      interval: 'month',
      intervalCount: 1,
      trialDays: 0,
      trialUsage: 'billed',
      rollsInto: null,
      contentHash: Buffer.alloc(32),
      ...created,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const id = newId('subscription')
  await db
    .insertInto('subscription')
    .values({
      id,
      customerId,
      slot: 'default',
      planVersionId: 'plan_version_1',
      currency: 'usd',
      status: 'active',
      quantity: 1,
      billingCycleAnchor: sqlTime(0),
      currentPeriodStart: sqlTime(0),
      currentPeriodEnd: sqlTime(1),
      startedAt: sqlTime(0),
      ...created,
    })
    .execute()
  return id
}
