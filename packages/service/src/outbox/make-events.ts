import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import {
  addEvent,
  forgetChange,
  nextChange,
  type OutgoingChange,
  postponeChange,
  takeTurn,
} from '../store/outgoing-events.ts'
import { told } from './told.ts'

export interface MakeDeps {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
}

const LONGEST_WAIT_SECONDS = 3600

/**
 * Makes events of what changed, until nothing is left or so many were looked at: each change goes in the
 * transaction that writes its events and their deliveries, so none is lost and none is told twice. Returns how many.
 */
export async function makeEvents(deps: MakeDeps, most = Number.POSITIVE_INFINITY): Promise<number> {
  let count = 0
  while (count < most && (await makeOf(deps))) count += 1
  return count
}

async function makeOf({ db, clock, log }: MakeDeps): Promise<boolean> {
  let broken: OutgoingChange | undefined
  try {
    return await transaction(db, async (trx) => {
      if (!(await takeTurn(trx))) return false
      const change = await nextChange(trx, clock.now())
      broken = change
      if (!change) return false
      for (const event of await told(trx, change)) await addEvent(trx, event, clock.now())
      await forgetChange(trx, change.sequence)
      return true
    })
  } catch (error) {
    if (!broken) throw error
    const { sequence, source, subject, attempts } = broken

    log.error({ err: error, source, subject }, 'No event could be made of a change yet.')
    const wait = Math.min(LONGEST_WAIT_SECONDS, 2 ** Math.min(attempts + 1, 12))
    await postponeChange(db, sequence, clock.now() + wait)
    return true
  }
}
