import { formatInstant, type Instant } from '@lockstep/core/instant'
import type { Db } from '../postgres/connect.ts'
import { lastSweep } from '../store/event-sweeps.ts'
import type { ProviderAccount } from '../store/mappings.ts'
import { inboxFigures } from '../store/provider-events.ts'
import { type Check, fine, hint } from './check.ts'

/** Beyond two rounds of the schedule. */
const OVERDUE_SECONDS = 2 * 3600

/** Whether events wait for a person, and whether somebody looks for those that no webhook brought. */
export async function examineInbox(db: Db, provider: ProviderAccount, now: Instant): Promise<Check[]> {
  const { parked, waiting } = await inboxFigures(db)
  const events =
    parked === 0
      ? fine('events', `${waiting} wait, none is parked.`)
      : hint(
          'events',
          `${parked} parked: a person has to look.`,
          '`lockstep events list --state parked` says why; `lockstep events retry EVENT` has one tried again.',
        )
  return [events, await sweep(db, provider, now)]
}

async function sweep(db: Db, provider: ProviderAccount, now: Instant): Promise<Check> {
  const name = 'event sweep'
  const { sweptTo, missed, relistedAt, isFirst } = await lastSweep(db, provider)
  if (now - sweptTo > OVERDUE_SECONDS) {
    const since = isFirst ? 'None was made yet' : `The last one began at ${formatInstant(sweptTo)}`
    const remedy = 'Run a process with the role worker: it makes one at its start and every hour.'
    return hint(name, `${since}: what no webhook brought since is not known here.`, remedy)
  }
  if (isFirst) return fine(name, 'The first one is made within an hour.')
  const relisted =
    relistedAt === null
      ? ''
      : ` At ${formatInstant(relistedAt)} every object was read, because the events of before were no longer kept.`
  const found = missed === 0 ? 'every event had come' : `no webhook had brought ${missed} of its events`
  return fine(name, `At ${formatInstant(sweptTo)}; ${found}.${relisted}`)
}
