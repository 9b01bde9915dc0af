import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { formatQuantity, quantityOf } from '@lockstep/core/quantity'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { isCounted } from './counted-events.ts'
import type { Page } from './page.ts'
import { sqlTime } from './time.ts'
import { isEventOf, isGroupOf, type OnlyGroups } from './usage-groups.ts'

/** An event that counts. */
export interface UsageEvent {
  readonly source: string
  readonly id: string
  readonly time: Instant
  /** Decimal text. */
  readonly quantity: string
}

export interface EventQuery {
  readonly customerId: string
  readonly meterKey: string
  readonly period: Period
  readonly limit: number
  /** `nextCursor` of the page before. */
  readonly after?: string | undefined
  /** All of them unless given. */
  readonly groups?: OnlyGroups | undefined
}

const SECONDS_PER_HOUR = 3600

/**
 * A page of the events that a quantity is made of, oldest first. The rollups tell in which hours the next
 * ones lie, and only these are read, so a page costs the same at the beginning and at the end of a million.
 */
export async function listUsageEvents(db: Db, query: EventQuery): Promise<Page<UsageEvent>> {
  const after = query.after === undefined ? undefined : parseCursor(query.after)
  const from = after ? Math.max(query.period.start, after.second) : query.period.start
  const end = await endOfPage(db, query, from)
  const behind = after
    ? sql`(time, ${ORDER}) > (to_timestamp(0) + ${after.micros}::int8 * interval '1 microsecond', decode(${after.digest}, 'hex'))`
    : sql`true`
  const { rows } = await sql<UsageEvent & { micros: string; digest: string }>`
    select source, id, date_trunc('second', time) as time, quantity::text as quantity,
           (extract(epoch from time) * 1000000)::int8::text as micros, encode(${ORDER}, 'hex') as digest
    from usage_event
    where customer_id = ${query.customerId} and meter_key = ${query.meterKey}
      and time >= ${sqlTime(from)} and time < ${sqlTime(end)} and ${behind} and ${isCounted('usage_event')}
      and ${query.groups ? isEventOf(query.groups) : sql`true`}
    order by time, ${ORDER} limit ${query.limit + 1}`.execute(db)
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  const hasMore = rows.length > query.limit
  return {
    data: shown.map(({ source, id, time, quantity }) => ({
      source,
      id,
      time,
      quantity: formatQuantity(quantityOf(quantity)),
    })),
    hasMore,
    nextCursor: hasMore && last ? `${last.micros}.${last.digest}` : null,
  }
}

/** Of events of one microsecond some order, always the same, that a cursor can name in a few characters. */
const ORDER = sql`sha256(convert_to(length(source) || ' ' || source || id, 'UTF8'))`

/** Where enough events for a page end. Of the first hour some may be passed already, so it does not count. */
async function endOfPage(db: Db, { period, limit, ...query }: EventQuery, from: Instant): Promise<Instant> {
  const hour = Math.floor(from / SECONDS_PER_HOUR) * SECONDS_PER_HOUR
  const { rows } = await sql<{ next: Instant | null }>`
    select min(next) as next from (
      select lead(bucket) over (order by bucket) as next,
             sum(count) over (order by bucket) - first_value(count) over (order by bucket) as counted
      from ${bucketsOf(query)} as rollup
      where bucket >= ${sqlTime(hour)} and bucket < ${sqlTime(period.end)}
    ) as buckets where counted > ${limit}`.execute(db)
  return rows[0]?.next ?? period.end
}

/** The hours in which such events lie, and how many in each. */
export function bucketsOf({
  customerId,
  meterKey,
  groups,
}: Pick<EventQuery, 'customerId' | 'meterKey' | 'groups'>): RawBuilder<unknown> {
  const ofMeter = sql`customer_id = ${customerId} and meter_key = ${meterKey}`
  if (!groups) return sql`(select bucket, count from usage_rollup where ${ofMeter})`
  return sql`(
    select bucket, sum(count)::int8 as count from usage_group_rollup
    where ${ofMeter} and group_id in (select id from usage_group where ${ofMeter} and ${isGroupOf(groups)})
    group by bucket
  )`
}

/** As it was made; what looks otherwise was refused at the door. */
function parseCursor(cursor: string): { second: Instant; micros: string; digest: string } | undefined {
  const [, micros, digest] = /^(\d{1,16})\.([0-9a-f]{64})$/.exec(cursor) ?? []
  if (micros === undefined || digest === undefined) return undefined
  return { second: Number(BigInt(micros) / 1_000_000n), micros, digest }
}
