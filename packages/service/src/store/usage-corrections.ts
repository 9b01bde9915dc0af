import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { formatQuantity, type Quantity, quantityOf } from '@lockstep/core/quantity'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isCounted } from './counted-events.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type UsageCorrection = Row<'usageCorrection'>

/** Which event, and when it was: events are kept by their time, and found by it. */
export interface EventName {
  readonly source: string
  readonly id: string
  readonly time: Instant
}

/** How many events, and their quantities added up, whatever the meter makes of them. */
export interface Counted {
  readonly events: bigint
  readonly quantity: Quantity
}

/** An event that was taken in and still counts. */
export async function findEvent(
  db: Db | Trx,
  name: EventName,
): Promise<{ customerId: string; meterKey: string } | undefined> {
  const { rows } = await sql<{ customerId: string; meterKey: string }>`
    select customer_id, meter_key from usage_event where ${isEvent(name)} limit 1`.execute(db)
  return rows[0]
}

/** Whether it counted once, and was taken out. */
export async function wasVoided(db: Db, name: EventName): Promise<boolean> {
  const { rows } = await sql`
    select 1 from usage_event_corrected where ${isEvent(name)} limit 1`.execute(db)
  return rows.length > 0
}

/** Whether an event of that identity (hexadecimal digits) was ever taken in. */
export async function isIdentityKnown(db: Db, key: string): Promise<boolean> {
  const { rows } = await sql`select 1 from usage_identity where key = ${key}::uuid`.execute(db)
  return rows.length > 0
}

/**
 * Whether somebody's rollups of that stretch hold more events than there are. Reads the events of all customers
 * in it, and each customer's rollups by their key: seconds where an hour holds millions.
 */
export async function lacksEvents(db: Db, { start, end }: Period): Promise<boolean> {
  const within = (column: string) =>
    sql`${sql.ref(column)} >= ${sqlTime(start)} and ${sql.ref(column)} < ${sqlTime(end)}`
  const { rows } = await sql<{ lacks: boolean }>`
    select exists (
      select from customer
      cross join lateral (
        select sum(count) as count from usage_rollup where customer_id = customer.id and ${within('bucket')}
      ) as rollups
      left join (
        select customer_id, count(*) as count from usage_event
        where ${within('time')} and ${isCounted('usage_event')} group by customer_id
      ) as events on events.customer_id = customer.id
      where rollups.count > coalesce(events.count, 0)
    ) as lacks`.execute(db)
  return rows[0]?.lacks ?? false
}

/** Takes one event out, and puts it in again with another quantity if one is given. */
export async function replaceEvent(
  trx: Trx,
  correctionId: string,
  name: EventName,
  { quantity, at }: { readonly quantity: Quantity | null; readonly at: Instant },
): Promise<{ readonly removed: Counted; readonly added: Counted }> {
  const { rows } = await sql<{ quantity: string }>`
    with taken as (delete from usage_event where ${isEvent(name)} returning *),
    kept as (${keep(correctionId)}),
    put as (
      insert into usage_event (customer_id, meter_key, time, quantity, source, id, data, received_at)
      select customer_id, meter_key, time, ${quantity === null ? '0' : formatQuantity(quantity)}::numeric,
             source, id, data, ${sqlTime(at)}::timestamptz
      from taken where ${quantity !== null}
    )
    select quantity from taken`.execute(trx)
  const removed = countedOf(rows.map((row) => row.quantity))
  const added = quantity === null ? countedOf([]) : { events: removed.events, quantity }
  return { removed, added }
}

/** Takes out every event of a meter in a stretch of time. */
export async function removeEvents(
  trx: Trx,
  correctionId: string,
  { customerId, meterKey, period }: { customerId: string; meterKey: string; period: Period },
): Promise<Counted> {
  const { rows } = await sql<{ events: bigint; quantity: string }>`
    with taken as (
      delete from usage_event
      where customer_id = ${customerId} and meter_key = ${meterKey}
        and time >= ${sqlTime(period.start)} and time < ${sqlTime(period.end)}
      returning *
    ), kept as (${keep(correctionId)})
    select count(*) as events, coalesce(sum(quantity), 0) as quantity from taken`.execute(trx)
  const [row] = rows
  return { events: row?.events ?? 0n, quantity: quantityOf(row?.quantity ?? '0') }
}

export function countedOf(quantities: readonly string[]): Counted {
  return {
    events: BigInt(quantities.length),
    quantity: quantities.reduce((sum, quantity) => sum + quantityOf(quantity), 0n),
  }
}

/** Of these identities (hexadecimal digits), those that were not known; from now on they are. */
export async function learnIdentities(
  trx: Trx,
  identities: readonly { readonly key: string; readonly bodyHash: string }[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ key: string }>`
    insert into usage_identity (key, body_hash)
    select * from unnest(${identities.map(({ key }) => key)}::uuid[],
                         ${identities.map(({ bodyHash }) => bodyHash)}::uuid[])
    on conflict do nothing returning key`.execute(trx)
  return new Set(rows.map(({ key }) => key.replaceAll('-', '')))
}

/** Whether there are more events than so many, those among them that a filter leaves out. */
export async function hasMoreEvents(
  db: Db | Trx,
  { customerId, meterKey, period }: { customerId: string; meterKey: string; period: Period },
  most: number,
): Promise<boolean> {
  const { rows } = await sql<{ hasMore: boolean }>`
    select count(*) > ${most}::int8 as has_more from (
      select from usage_event
      where customer_id = ${customerId} and meter_key = ${meterKey}
        and time >= ${sqlTime(period.start)} and time < ${sqlTime(period.end)}
      limit ${most + 1}
    ) as event`.execute(db)
  return rows[0]?.hasMore ?? false
}

export async function insertCorrection(
  trx: Trx,
  { effect, periodStart, periodEnd, madeAt, ...row }: UsageCorrection,
): Promise<void> {
  await trx
    .insertInto('usageCorrection')
    .values({
      ...row,
      effect: JSON.stringify(effect),
      periodStart: sqlTime(periodStart),
      periodEnd: sqlTime(periodEnd),
      madeAt: sqlTime(madeAt),
    })
    .execute()
}

export async function readCorrection(db: Db, id: string): Promise<UsageCorrection | undefined> {
  const row = await db.selectFrom('usageCorrection').selectAll().where('id', '=', id).executeTakeFirst()
  return row && shortest(row)
}

interface CorrectionFilter {
  readonly customer: string
  readonly meter?: string | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export async function listCorrections(db: Db, filter: CorrectionFilter): Promise<UsageCorrection[]> {
  let query = db.selectFrom('usageCorrection').selectAll().where('customerId', '=', filter.customer)
  if (filter.meter !== undefined) query = query.where('meterKey', '=', filter.meter)
  if (filter.after !== undefined) query = query.where('id', '<', filter.after)
  return (await query.orderBy('id', 'desc').limit(filter.limit).execute()).map(shortest)
}

/** What was corrected of one meter in a stretch of time, oldest first. */
export async function correctionsOf(
  db: Db,
  { customerId, meterKey, period }: { customerId: string; meterKey: string; period: Period },
): Promise<UsageCorrection[]> {
  const rows = await db
    .selectFrom('usageCorrection')
    .selectAll()
    .where('customerId', '=', customerId)
    .where('meterKey', '=', meterKey)
    .where('periodStart', '<', sqlTime(period.end))
    .where('periodEnd', '>', sqlTime(period.start))
    .orderBy('id')
    .execute()
  return rows.map(shortest)
}

/** Postgres writes all decimals of its column. */
const shortest = (row: UsageCorrection): UsageCorrection => ({
  ...row,
  removedQuantity: formatQuantity(quantityOf(row.removedQuantity)),
  addedQuantity: formatQuantity(quantityOf(row.addedQuantity)),
})

/** Times are kept to the microsecond, and named to the second. */
const isEvent = ({ source, id, time }: EventName) =>
  sql`time >= ${sqlTime(time)} and time < ${sqlTime(time + 1)} and source = ${source} and id = ${id}`

const keep = (correctionId: string) => sql`
  insert into usage_event_corrected (customer_id, correction_id, meter_key, time, quantity, source, id, data, received_at)
  select customer_id, ${correctionId}, meter_key, time, quantity, source, id, data, received_at from taken`
