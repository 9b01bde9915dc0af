import { type RawBuilder, sql } from 'kysely'
import { newSecret } from '../ids.ts'

/**
 * This process, as the database knows it: every session of its pool carries the name. When the process
 * dies its sessions end, so what it had in hand can be taken over at once. The leases that stand beside
 * it are the second line: a host that vanished leaves sessions behind until TCP gives up.
 */
export const processName = `process_${newSecret(80)}`

/** The name of one piece of work in hand: whose it is, and which. */
export const newHolder = (): string => `${processName}/${newSecret(80)}`

/** What the sessions of a process call themselves. */
export const applicationName = `lockstep ${processName}`

/** Whether the process that a holder belongs to has no session left. */
export function isGone(holder: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`not exists (
    select from pg_stat_activity
    where datname = current_database() and application_name = 'lockstep ' || split_part(${holder}, '/', 1)
  )`
}
