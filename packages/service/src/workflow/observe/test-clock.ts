import type Stripe from 'stripe'
import { moveTestClock } from '../../store/test-clocks.ts'
import type { Noun, Owner } from './noun.ts'

interface ClockOwner extends Owner {
  readonly testClockId: string
}

/** A test clock: whoever turned it, its customers live at its time. */
export const testClockNoun: Noun<Stripe.TestHelpers.TestClock, ClockOwner> = {
  async owner(db, object) {
    const known = await db
      .selectFrom('testClock')
      .select('id')
      .where('providerId', '=', object.id)
      .executeTakeFirst()
    return known ? { customerId: null, testClockId: known.id } : null
  },
  needsGate: async () => false,
  async write(trx, { object, owner }) {
    if (object.status === 'ready') await moveTestClock(trx, owner.testClockId, object.frozen_time)
    return {}
  },
}
