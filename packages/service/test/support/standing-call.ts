import type { Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../src/postgres/connect.ts'
import { intend, markUnknown, settle } from '../../src/store/operations.ts'

/** A call as it stands after the process died that made it; what came of it is `state`. */
export async function standingCall(
  db: Db,
  id: string,
  state: 'refused' | 'unknown' | { readonly made: string },
  at: Instant,
): Promise<void> {
  const call = { idempotencyKey: `${id}/of-the-dead`, bodyHash: Buffer.from('words'), at }
  const { operation } = await intend(db, { id, kind: 'test', subjectId: id }, call)
  const problem = new Problem('provider_refused', 'No.')
  const how = { requestId: null, at }
  if (state === 'unknown') await markUnknown(db, operation, problem, { requestId: null, isOver: true })
  else if (state === 'refused') await settle(db, operation, { state, problem, isInDoubt: false, ...how })
  else await settle(db, operation, { state: 'succeeded', objectId: state.made, ...how })
}
