import { newId } from '../../ids.ts'
import type { Db } from '../../postgres/connect.ts'
import { transaction } from '../../postgres/transaction.ts'
import { readStripe } from '../../provider/stripe/call.ts'
import { addTestClock, linkTestClock } from '../../store/test-clocks.ts'
import type { LookDeps } from '../look.ts'

/** Our test clock for one of Stripe's, whoever made it: its customers live at its time here too. */
export async function knowTestClock(deps: LookDeps, providerId: string): Promise<string> {
  const known = await clockOf(deps.db, providerId)
  if (known !== undefined) return known
  const clock = await readStripe(deps, (stripe) => stripe.testHelpers.testClocks.retrieve(providerId))
  try {
    return await transaction(deps.db, async (trx) => {
      const id = newId('test_clock')
      await addTestClock(trx, {
        id,
        name: clock.name ?? null,
        frozenAt: clock.frozen_time,
        at: deps.clock.now(),
      })
      await linkTestClock(trx, id, providerId)
      return id
    })
  } catch (error) {
    // Somebody else was quicker: a clock of Stripe's is one of ours, and not two.
    const theirs = await clockOf(deps.db, providerId)
    if (theirs === undefined) throw error
    return theirs
  }
}

async function clockOf(db: Db, providerId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('testClock')
    .select('id')
    .where('providerId', '=', providerId)
    .executeTakeFirst()
  return row?.id
}
