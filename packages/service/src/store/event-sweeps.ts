import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

export interface LastSweep {
  readonly sweptTo: Instant
  readonly newestEvent: string | null
  readonly missed: number
  /** When every object was read the last time; null: never. */
  readonly relistedAt: Instant | null
  /** None was ever made: everything since the installation was made is still to be read. */
  readonly isFirst: boolean
}

export async function lastSweep(db: Db, { account, livemode }: ProviderAccount): Promise<LastSweep> {
  const row = await db
    .selectFrom('eventSweep')
    .select(['sweptTo', 'newestEvent', 'missed', 'relistedAt'])
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .executeTakeFirst()
  if (row) return { ...row, isFirst: false }
  const { createdAt } = await db.selectFrom('installation').select('createdAt').executeTakeFirstOrThrow()
  return { sweptTo: createdAt, newestEvent: null, missed: 0, relistedAt: null, isFirst: true }
}

export interface SweepDone {
  readonly sweptTo: Instant
  readonly newestEvent: string | null
  readonly missed: number
  /** Null: what was listed before stays. */
  readonly relistedAt: Instant | null
}

/** Of two sweeps at once the later one stands. */
export async function recordSweep(
  db: Db,
  { account, livemode }: ProviderAccount,
  { sweptTo, newestEvent, missed, relistedAt }: SweepDone,
): Promise<void> {
  await sql`
    insert into event_sweep as last
      (provider, provider_account, livemode, swept_to, newest_event, missed, relisted_at)
    values (${STRIPE}, ${account}, ${livemode}, ${sqlTime(sweptTo)}, ${newestEvent}, ${missed},
      ${relistedAt === null ? null : sqlTime(relistedAt)})
    on conflict (provider, provider_account, livemode) do update set
      swept_to = excluded.swept_to,
      newest_event = coalesce(excluded.newest_event, last.newest_event),
      missed = excluded.missed,
      relisted_at = coalesce(excluded.relisted_at, last.relisted_at)
    where last.swept_to <= excluded.swept_to`.execute(db)
}

/** Which of these events are in the inbox, whatever became of them. */
export async function knownEvents(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('providerEvent')
    .select('id')
    .where('provider', '=', STRIPE)
    .where(isOneOf('id', ids))
    .execute()
  return new Set(rows.map(({ id }) => id))
}
