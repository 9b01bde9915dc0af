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

/** A claim on rows: its name, and those of all that this process is at work on. */
export interface Claim {
  readonly holder: string
  readonly inHand: readonly string[]
}

/**
 * What one kind of worker is at work on in this process, each claim for as long as its work takes. One
 * that broke off, its database gone, is in nobody's hands any more, and need not run out first.
 */
export function newHands(): <T>(work: (claim: Claim) => Promise<T>) => Promise<T> {
  const inHand = new Set<string>()
  return async (work) => {
    const holder = newHolder()
    inHand.add(holder)
    try {
      return await work({ holder, inHand: [...inHand] })
    } finally {
      inHand.delete(holder)
    }
  }
}

/** Whether somebody who is still there is at work on a row of a table with `claimed_by` and `claimed_until`. */
export function isClaimed(table: string, { inHand }: Claim): RawBuilder<boolean> {
  const by = sql.ref(`${table}.claimed_by`)
  const until = sql.ref(`${table}.claimed_until`)
  return sql<boolean>`(${until} is not null and ${until} >= clock_timestamp()
    and case when split_part(${by}, '/', 1) = ${processName}
      then ${by} = any (${[...inHand]}::text[]) else not ${isGone(by)} end)`
}

/** The two columns as a claim sets them: after so many seconds another may take over. */
export function claimFor({ holder }: Claim, seconds: number): RawBuilder<unknown> {
  return sql`claimed_by = ${holder}, claimed_until = clock_timestamp() + make_interval(secs => ${seconds})`
}
