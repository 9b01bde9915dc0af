import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import type { LimitOwner, ThresholdKind } from '@lockstep/core/spend-limit'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

/** A figure that was reached, in the units of its limit. */
export interface SpendAlert {
  readonly customerId: string
  readonly limitId: string
  readonly invoiceId: string
  readonly owner: LimitOwner
  readonly meter: string | null
  readonly kind: ThresholdKind
  readonly at: bigint
  readonly spent: bigint
  readonly reachedAt: Instant
}

/** Writes down those that were not reached before in their periods, in their order. */
export async function insertAlerts(trx: Trx, alerts: readonly SpendAlert[]): Promise<void> {
  if (alerts.length === 0) return
  await trx
    .insertInto('spendAlert')
    .values(
      alerts.map(({ meter, at, spent, reachedAt, ...alert }) => ({
        ...alert,
        id: newId('spend_alert'),
        meterKey: meter,
        at: `${at}`,
        spent: `${spent}`,
        reachedAt: sqlTime(reachedAt),
      })),
    )
    .onConflict((on) => on.columns(['invoiceId', 'owner', 'meterKey', 'kind', 'at']).doNothing())
    .execute()
}

/** What was reached in a period that is told anew was reached in the one that has its time now. */
export async function moveAlerts(trx: Trx, from: string, to: string): Promise<void> {
  await sql`
    update spend_alert a set invoice_id = ${to} where a.invoice_id = ${from} and not exists (
      select from spend_alert b where b.invoice_id = ${to} and b.owner = a.owner
        and b.meter_key is not distinct from a.meter_key and b.kind = a.kind and b.at = a.at)`.execute(trx)
}

/** One with what it is of. */
export interface ShownAlert extends SpendAlert {
  readonly id: string
  /** Of an amount. */
  readonly currency: string | null
  readonly subscriptionId: string
  readonly period: Period
}

export async function readAlert(db: Db | Trx, id: string): Promise<ShownAlert | undefined> {
  const row = await alerts(db).where('spendAlert.id', '=', id).executeTakeFirst()
  return row && shownOf(row)
}

/** Newest first. */
export async function listAlerts(
  db: Db,
  {
    customer,
    limit,
    after,
  }: { readonly customer: string; readonly limit: number; readonly after?: string | undefined },
): Promise<ShownAlert[]> {
  let query = alerts(db).where('spendAlert.customerId', '=', customer)
  if (after !== undefined) query = query.where('spendAlert.id', '<', after)
  return (await query.orderBy('spendAlert.id', 'desc').limit(limit).execute()).map(shownOf)
}

const alerts = (db: Db | Trx) =>
  db
    .selectFrom('spendAlert')
    .innerJoin('spendLimit', 'spendLimit.id', 'spendAlert.limitId')
    .innerJoin('invoice', 'invoice.id', 'spendAlert.invoiceId')
    .selectAll('spendAlert')
    .select(['spendLimit.currency', 'invoice.subscriptionId', 'invoice.periodStart', 'invoice.periodEnd'])

type AlertRow = Awaited<ReturnType<ReturnType<typeof alerts>['execute']>>[number]

function shownOf({
  meterKey,
  at,
  spent,
  subscriptionId,
  periodStart,
  periodEnd,
  ...row
}: AlertRow): ShownAlert {
  if (subscriptionId === null) throw new Error(`${row.id} is of no subscription.`)
  return {
    ...row,
    subscriptionId,
    meter: meterKey,
    at: BigInt(at),
    spent: BigInt(spent),
    period: { start: periodStart, end: periodEnd },
  }
}
