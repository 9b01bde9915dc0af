import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'

/** Makes sure that `usage_event` has a partition for every month that events come from. */
export interface Months {
  ensure(times: Iterable<Instant>): Promise<void>
  /** Somebody may have removed one: look again. */
  forget(): void
}

interface Month {
  readonly name: string
  readonly start: Instant
  readonly end: Instant
}

/** What is older lies in one partition, made with the table. */
const FIRST_YEAR = 2010

/** First half of the key of the advisory lock under which partitions are made. */
const LOCK = 470_165

export function newMonths({ db }: { db: Db }): Months {
  let known: Month[] = []
  const has = (time: Instant) => known.some(({ start, end }) => start <= time && time < end)
  return {
    ensure: async (times) => {
      for (const time of times) {
        if (has(time)) continue
        const month = monthOf(time)
        if (month.name !== 'before_2010') await create(db, month)
        // Others may have come meanwhile. The newest first: that is where most events are.
        if (!has(time)) known = [...known, month].sort((a, b) => b.start - a.start)
      }
    },
    forget: () => {
      known = []
    },
  }
}

function monthOf(time: Instant): Month {
  const date = new Date(time * 1000)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const startOf = (index: number) => Date.UTC(year, index) / 1000
  if (year < FIRST_YEAR) {
    return { name: 'before_2010', start: Number.NEGATIVE_INFINITY, end: Date.UTC(FIRST_YEAR, 0) / 1000 }
  }
  const name = `${year}_${String(month + 1).padStart(2, '0')}`
  return { name, start: startOf(month), end: startOf(month + 1) }
}

/**
 * Made apart and then attached: `create table … partition of` would lock the whole table against
 * inserts and reads, and this does not.
 */
async function create(db: Db, { name, start, end }: Month): Promise<void> {
  const table = `usage_event_${name}`
  await transaction(db, async (trx) => {
    await sql`select pg_advisory_xact_lock(${LOCK}::int4, 0)`.execute(trx)
    const found = await sql<{ there: boolean }>`select to_regclass(${table}) is not null as there`.execute(
      trx,
    )
    if (found.rows[0]?.there) return
    await sql`create table ${sql.id(table)} (like usage_event)`.execute(trx)
    await sql`alter table usage_event attach partition ${sql.id(table)}
      for values from (${sql.lit(iso(start))}) to (${sql.lit(iso(end))})`.execute(trx)
  })
}

const iso = (at: Instant) => new Date(at * 1000).toISOString()
