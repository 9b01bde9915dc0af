import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { MAKING, MONTHS } from '../store/month-locks.ts'
import { sqlTime } from '../store/time.ts'

/** Makes sure that `usage_event` has a partition for every month that events come from and that is kept. */
export interface Months {
  /** Afterwards {@link Months.isKept} knows of these. */
  ensure(times: Iterable<Instant>): Promise<void>
  /** Whether raw events of that time are stored; they are not once their month was expired. */
  isKept(time: Instant): boolean
  /** Whether no month is known of which they are not: mostly nothing needs to be asked of single events. */
  areAllKept(): boolean
  /** Somebody may have removed one: look again. */
  forget(): void
}

/** A calendar month of UTC. */
interface Month {
  /** `2025_03`. */
  readonly name: string
  readonly start: Instant
  readonly end: Instant
}

interface KnownMonth extends Month {
  readonly isKept: boolean
}

/** What is older lies in one partition, made with the table. */
const FIRST_YEAR = 2010

export function newMonths({ db }: { db: Db }): Months {
  let known: KnownMonth[] = []
  const monthWith = (time: Instant) => known.find(({ start, end }) => start <= time && time < end)
  return {
    ensure: async (times) => {
      for (const time of times) {
        if (monthWith(time)) continue
        const month = monthOf(time)
        const isKept = month.name === BEFORE || (await create(db, month))
        // Others may have come meanwhile. The newest first: that is where most events are.
        if (!monthWith(time)) known = [...known, { ...month, isKept }].sort((a, b) => b.start - a.start)
      }
    },
    isKept: (time) => monthWith(time)?.isKept ?? true,
    areAllKept: () => known.every(({ isKept }) => isKept),
    forget: () => {
      known = []
    },
  }
}

const BEFORE = 'before_2010'

export function monthOf(time: Instant): Month {
  const date = new Date(time * 1000)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const startOf = (index: number) => Date.UTC(year, index) / 1000
  if (year < FIRST_YEAR) {
    return { name: BEFORE, start: Number.NEGATIVE_INFINITY, end: Date.UTC(FIRST_YEAR, 0) / 1000 }
  }
  const name = `${year}_${String(month + 1).padStart(2, '0')}`
  return { name, start: startOf(month), end: startOf(month + 1) }
}

/**
 * Made apart and then attached: `create table … partition of` would lock the whole table against
 * inserts and reads, and this does not. A month that was expired is never made again, nor is its table
 * taken for one that is there: it may stand detached, on its way out. Answers whether the month is kept.
 */
async function create(db: Db, { name, start, end }: Month): Promise<boolean> {
  const table = `usage_event_${name}`
  return transaction(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(${MONTHS}::int4, ${MAKING}::int4)`.execute(trx)
    const found = await sql<{ there: boolean; isExpired: boolean }>`
      select to_regclass(${table}) is not null as there,
             exists (select from usage_expired_month where month = ${sqlTime(start)}) as is_expired`.execute(
      trx,
    )
    const [month] = found.rows
    if (month?.isExpired) return false
    if (month?.there) return true
    await sql`create table ${sql.id(table)} (like usage_event)`.execute(trx)
    await sql`alter table usage_event attach partition ${sql.id(table)}
      for values from (${sql.lit(iso(start))}) to (${sql.lit(iso(end))})`.execute(trx)
    return true
  })
}

const iso = (at: Instant) => new Date(at * 1000).toISOString()
