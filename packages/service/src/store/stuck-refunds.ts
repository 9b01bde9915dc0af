import type { Instant } from '@lockstep/core/instant'
import {
  FAILED_SECONDS,
  PENDING_SECONDS,
  type StuckReason,
  UNANSWERED_SECONDS,
} from '@lockstep/core/stuck-refund'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import type { Refund } from './refunds.ts'
import { sqlTime } from './time.ts'

export interface StuckRefund extends Refund {
  readonly stuck: StuckReason
}

/** Refunds that need a person, newest first, with why. None stays when the provider tells of its end. */
export async function listStuckRefunds(
  db: Db,
  { at, limit, after }: { readonly at: Instant; readonly limit: number; readonly after?: string | undefined },
): Promise<StuckRefund[]> {
  const { rows } = await sql<StuckRefund>`
    select * from ${stuckAt(at)} where ${after === undefined ? sql`true` : sql`id < ${after}`}
    order by id desc limit ${limit}`.execute(db)
  return rows
}

/** How many there are of each reason. */
export async function countStuckRefunds(
  db: Db,
  at: Instant,
): Promise<{ readonly stuck: StuckReason; readonly refunds: number }[]> {
  const { rows } = await sql<{ stuck: StuckReason; refunds: number }>`
    select stuck, count(*)::int4 as refunds from ${stuckAt(at)} group by stuck`.execute(db)
  return rows
}

/**
 * The provider dates a refund by the customer's own time; what it has not answered is dated by ours. One that the bank sent back is
 * done with when as much of the invoice was given back since, in whatever way.
 */
function stuckAt(at: Instant): RawBuilder<unknown> {
  const now = sql`coalesce(clock.frozen_at, ${sqlTime(at)}::timestamptz)`
  const before = (from: RawBuilder<unknown>, seconds: number) =>
    sql`${from} - ${seconds}::int4 * interval '1 second'`
  return sql`(
    select refund.*, reason_to_look.stuck
    from refund
    join customer on customer.id = refund.customer_id
    left join test_clock clock on clock.id = customer.test_clock_id
    cross join lateral (select case
      when refund.status = 'making'
        and refund.created_at < ${before(sql`${sqlTime(at)}::timestamptz`, UNANSWERED_SECONDS)} then 'unanswered'
      when refund.status = 'requires_action' then 'actionRequired'
      when refund.status = 'pending' and refund.created_at < ${before(now, PENDING_SECONDS)} then 'pending'
      when refund.status = 'failed' and refund.created_at > ${before(now, FAILED_SECONDS)} and refund.amount > (
        select coalesce(sum(amount), 0) from (
          select amount, created_at from refund other
          where other.invoice_id = refund.invoice_id and other.id <> refund.id and other.status in ('pending', 'succeeded')
          union all
          select credited + out_of_band, created_at from credit_note
          where credit_note.invoice_id = refund.invoice_id and status = 'issued'
            and credit_note.id is distinct from refund.credit_note_id
        ) as since where since.created_at >= refund.created_at
      ) then 'failed'
    end as stuck) as reason_to_look
    where refund.status in ('making', 'requires_action', 'pending', 'failed') and reason_to_look.stuck is not null
  ) as stuck_refund`
}
