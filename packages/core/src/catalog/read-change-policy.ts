import { type ChangePolicy, changeMoments, defaultChangePolicy } from '../plan-change.ts'
import type { Reader } from './reader.ts'

/** When changes take effect, as a person wrote it; what is left out is as by default. */
export function readChangePolicy(reader: Reader): ChangePolicy {
  const policy = {
    upgrade: reader.oneOf('upgrade', changeMoments, defaultChangePolicy.upgrade),
    downgrade: reader.oneOf('downgrade', changeMoments, defaultChangePolicy.downgrade),
  }
  reader.end()
  return policy
}
