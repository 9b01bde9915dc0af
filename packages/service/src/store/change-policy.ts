import { type ChangePolicy, defaultChangePolicy } from '@lockstep/core/plan-change'
import type { Db, Trx } from '../postgres/connect.ts'

/** When changes of plans take effect, as the catalogue says. */
export async function readChangePolicy(db: Db | Trx): Promise<ChangePolicy> {
  const row = await db.selectFrom('changePolicy').select(['upgrade', 'downgrade']).executeTakeFirst()
  return row ?? defaultChangePolicy
}

export async function writeChangePolicy(trx: Trx, policy: ChangePolicy): Promise<void> {
  const { upgrade, downgrade } = policy
  await trx
    .insertInto('changePolicy')
    .values({ upgrade, downgrade })
    .onConflict((conflict) => conflict.column('onlyRow').doUpdateSet({ upgrade, downgrade }))
    .execute()
}
