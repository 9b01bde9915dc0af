import type { Plan } from '../plan.ts'
import type { AfterTrial, SignUp } from '../sign-up.ts'
import type { Reader } from './reader.ts'

const MAX_EXTENSION_DAYS = 365

/** What a person wrote about signing up, held against the plans there are. */
export function readSignUp(reader: Reader, plans: readonly Plan[]): SignUp {
  const keys = new Set(plans.map(({ key }) => key))
  const plan = reader.reference('plan', 'plan', keys)
  const signUp = { plan, afterTrial: readAfterTrial(reader, keys) }
  const byKey = new Map(plans.map((known) => [known.key, known]))
  const first = byKey.get(plan)
  if (first && first.trialDays === 0 && signUp.afterTrial.policy !== 'expire')
    reader.refuse('afterTrial', 'invalid', `The plan ${plan} has no trial that could end.`)
  if (signUp.afterTrial.policy === 'moveTo') {
    const next = byKey.get(signUp.afterTrial.plan)
    if (next && first && next.currency !== first.currency)
      reader.refuse('afterTrial', 'currency_mismatch', `${next.key} is in ${next.currency}, ${plan} is not.`)
  }
  reader.end()
  return signUp
}

function readAfterTrial(reader: Reader, plans: ReadonlySet<string>): AfterTrial {
  const written = reader.raw('afterTrial')
  if (written === undefined || written === 'expire') return { policy: 'expire' }
  const how = reader.object('afterTrial')
  if (how.has('moveTo')) {
    const plan = how.reference('moveTo', 'plan', plans)
    how.end()
    return { policy: 'moveTo', plan }
  }
  const days = how.integer('extendDays', { min: 1, max: MAX_EXTENSION_DAYS, otherwise: 0 })
  how.end()
  return { policy: 'extend', days }
}
