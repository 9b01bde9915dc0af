import type { SignUp } from '@lockstep/core/sign-up'
import type { Db, Trx } from '../postgres/connect.ts'

/** What whoever signs up gets; null where a plan has to be chosen. */
export async function readSignUp(db: Db | Trx): Promise<SignUp | null> {
  const row = await db.selectFrom('signUp').selectAll().executeTakeFirst()
  if (!row) return null
  const { planKey: plan, afterTrial, nextPlanKey, extendDays } = row
  if (afterTrial === 'moveTo' && nextPlanKey !== null)
    return { plan, afterTrial: { policy: 'moveTo', plan: nextPlanKey } }
  if (afterTrial === 'extend' && extendDays !== null)
    return { plan, afterTrial: { policy: 'extend', days: extendDays } }
  return { plan, afterTrial: { policy: 'expire' } }
}

/** After the plans that it names. */
export async function writeSignUp(trx: Trx, signUp: SignUp | null): Promise<void> {
  await trx.deleteFrom('signUp').execute()
  if (signUp === null) return
  const { plan: planKey, afterTrial } = signUp
  await trx
    .insertInto('signUp')
    .values({
      planKey,
      afterTrial: afterTrial.policy,
      nextPlanKey: afterTrial.policy === 'moveTo' ? afterTrial.plan : null,
      extendDays: afterTrial.policy === 'extend' ? afterTrial.days : null,
    })
    .execute()
}
