import type { Instant } from '@lockstep/core/instant'
import type { SpendLimit } from '@lockstep/core/spend-limit'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** A limit with its record: whose it is, who set it and when, who ended it and when. */
export interface SpendLimitRecord extends SpendLimit {
  readonly customerId: string
  readonly madeBy: string
  readonly madeAt: Instant
  readonly endedBy: string | null
  readonly endedAt: Instant | null
}

/** Those of a customer that hold, by our id or the application's. */
export async function holdingLimits(db: Db | Trx, customer: string): Promise<SpendLimitRecord[]> {
  const { rows } = await sql<Row<'spendLimit'>>`
    select l.* from spend_limit l
     where l.ended_at is null and l.customer_id = coalesce(
       (select id from customer where id = ${customer}), (select id from customer where external_id = ${customer}))
     order by l.id`.execute(db)
  return rows.map(recordOf)
}

export async function readLimit(db: Db | Trx, id: string): Promise<SpendLimitRecord | undefined> {
  const row = await db.selectFrom('spendLimit').selectAll().where('id', '=', id).executeTakeFirst()
  return row && recordOf(row)
}

interface LimitFilter {
  readonly customer: string
  /** Those that were ended too. */
  readonly ended: boolean
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export async function listLimits(db: Db, filter: LimitFilter): Promise<SpendLimitRecord[]> {
  let query = db.selectFrom('spendLimit').selectAll().where('customerId', '=', filter.customer)
  if (!filter.ended) query = query.where('endedAt', 'is', null)
  if (filter.after !== undefined) query = query.where('id', '<', filter.after)
  return (await query.orderBy('id', 'desc').limit(filter.limit).execute()).map(recordOf)
}

export type NewLimit = Omit<SpendLimitRecord, 'endedBy' | 'endedAt'>

/** Takes the place of the one of the same side and meter. */
export async function insertLimit(trx: Trx, { meter, madeAt, ...limit }: NewLimit): Promise<void> {
  await trx
    .updateTable('spendLimit')
    .set({ endedBy: limit.madeBy, endedAt: sqlTime(madeAt) })
    .where('customerId', '=', limit.customerId)
    .where('owner', '=', limit.owner)
    .where(sql<boolean>`meter_key is not distinct from ${meter}`)
    .where('endedAt', 'is', null)
    .execute()
  await trx
    .insertInto('spendLimit')
    .values({
      ...limit,
      meterKey: meter,
      cap: limit.cap === null ? null : `${limit.cap}`,
      alerts: JSON.stringify(limit.alerts.map(String)),
      alertPercents: JSON.stringify(limit.alertPercents),
      madeAt: sqlTime(madeAt),
    })
    .execute()
}

/** Its content stays, for the record. What was ended before stays so. */
export async function endLimit(
  trx: Trx,
  id: string,
  { by, at }: { readonly by: string; readonly at: Instant },
): Promise<void> {
  await trx
    .updateTable('spendLimit')
    .set({ endedBy: by, endedAt: sqlTime(at) })
    .where('id', '=', id)
    .where('endedAt', 'is', null)
    .execute()
}

const recordOf = ({ meterKey, cap, alerts, ...row }: Row<'spendLimit'>): SpendLimitRecord => ({
  ...row,
  meter: meterKey,
  cap: cap === null ? null : BigInt(cap),
  alerts: alerts.map(BigInt),
})

/** Customers with a limit and with usage that was not held against it yet; of one test clock, or all. */
export async function customersToCheck(db: Db, testClock: string | null): Promise<string[]> {
  const { rows } = await sql<{ customerId: string }>`
    select distinct i.customer_id from invoice i join spend_limit l on l.customer_id = i.customer_id
     where l.ended_at is null and i.finalized_at is null and i.plan_version_id is not null
       and not i.limits_checked and (${testClock}::text is null or exists (
         select from customer where id = i.customer_id and test_clock_id = ${testClock}))`.execute(db)
  return rows.map(({ customerId }) => customerId)
}

/** Marks that what runs is to be held against the limits, which are other ones now. */
export async function checkAgain(trx: Trx, customerId: string): Promise<void> {
  await trx
    .updateTable('invoice')
    .set({ limitsChecked: false })
    .where('customerId', '=', customerId)
    .where('limitsChecked', '=', true)
    .where('finalizedAt', 'is', null)
    .execute()
}
