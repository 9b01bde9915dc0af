import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { type Claim, claimFor, isClaimed } from '../postgres/presence.ts'
import type { SealedSecret } from './schema/outbox.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** Longer than one delivery takes; kept up with each of them. */
const CLAIM_SECONDS = 60

/** Whether a delivery may be sent: it is its turn, and nothing earlier of the same object waits there. */
const isDue = (now: Instant) => sql<boolean>`
  d.state = 'waiting' and d.next_attempt_at <= ${sqlTime(now)}
  and not exists (select from delivery e where e.endpoint_id = d.endpoint_id and e.subject_id = d.subject_id
    and e.state = 'waiting' and e.sequence < d.sequence)`

/** Claims the endpoint that has waited longest of those that have something to be sent and that nobody sends to. Its id, or undefined. */
export async function claimEndpoint(db: Db, now: Instant, claim: Claim): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    update webhook_endpoint set ${claimFor(claim, CLAIM_SECONDS)}, last_turn_at = clock_timestamp() where id = (
      select w.id from webhook_endpoint w
       where w.state = 'enabled' and not ${isClaimed('w', claim)}
         and exists (select from delivery d where d.endpoint_id = w.id and ${isDue(now)})
       order by w.last_turn_at nulls first, w.id limit 1 for update skip locked)
    returning id`.execute(db)
  return rows[0]?.id
}

export interface DueDelivery {
  readonly id: string
  readonly endpointId: string
  readonly url: string
  readonly secrets: readonly SealedSecret[]
  readonly attempts: number
  readonly eventId: string
  readonly type: string
  readonly happenedAt: Instant
  readonly data: unknown
}

/** The next one of an endpoint, in the order of what happened; none when the claim is lost or it was disabled. */
export async function nextDelivery(
  db: Db,
  endpointId: string,
  holder: string,
  now: Instant,
): Promise<DueDelivery | undefined> {
  const { rows } = await sql<DueDelivery>`
    select d.id, d.endpoint_id, w.url, w.secrets, d.attempts, v.id as event_id, v.type, v.happened_at, v.data
      from delivery d
      join webhook_endpoint w on w.id = d.endpoint_id
      join outgoing_event v on v.id = d.event_id
     where w.id = ${endpointId} and w.state = 'enabled' and w.claimed_by = ${holder} and ${isDue(now)}
     order by d.sequence limit 1`.execute(db)
  return rows[0]
}

/** How an attempt went; with `problem` where no answer came. */
export interface Attempt {
  readonly status: number | null
  readonly body: string | null
  readonly problem: string | null
  readonly durationMs: number
}

export interface AttemptRecord extends Attempt {
  readonly delivery: Pick<DueDelivery, 'id' | 'endpointId'>
  readonly holder: string
  readonly at: Instant
  readonly end:
    | { readonly state: 'delivered' | 'failed' }
    | { readonly state: 'waiting'; readonly nextAttemptAt: Instant }
}

/** Writes an attempt down, and keeps the claim up. Returns since when the endpoint has taken nothing. */
export async function recordAttempt(trx: Trx, record: AttemptRecord): Promise<Instant | null> {
  const { delivery, holder, at, end, status, body, problem, durationMs } = record
  await sql`
    insert into delivery_attempt (delivery_id, ordinal, at, status, body, problem, duration_ms)
    select ${delivery.id}, coalesce(max(ordinal), 0) + 1, ${sqlTime(at)}, ${status}::int, ${body}::text,
      ${problem}::text, ${durationMs}::int
      from delivery_attempt where delivery_id = ${delivery.id}`.execute(trx)
  await trx
    .updateTable('delivery')
    .set(({ eb }) => ({
      state: end.state,
      attempts: eb('attempts', '+', 1),
      lastStatus: status,
      deliveredAt: end.state === 'delivered' ? sqlTime(at) : null,
      ...(end.state === 'waiting' && { nextAttemptAt: sqlTime(end.nextAttemptAt) }),
    }))
    .where('id', '=', delivery.id)
    .where('state', '=', 'waiting')
    .execute()
  const failing = end.state === 'delivered' ? sql`null` : sql`coalesce(failing_since, ${sqlTime(at)})`
  const { rows } = await sql<{ failingSince: Instant | null }>`
    update webhook_endpoint set failing_since = ${failing},
      claimed_until = case when claimed_by = ${holder}
        then clock_timestamp() + make_interval(secs => ${CLAIM_SECONDS}) else claimed_until end
     where id = ${delivery.endpointId}
    returning failing_since`.execute(trx)
  return rows[0]?.failingSince ?? null
}

export async function disableEndpoint(
  trx: Trx,
  id: string,
  because: 'failing' | 'gone',
  at: Instant,
): Promise<void> {
  await trx
    .updateTable('webhookEndpoint')
    .set({ state: 'disabled', disabledBecause: because, disabledAt: sqlTime(at) })
    .where('id', '=', id)
    .where('state', '=', 'enabled')
    .execute()
}

export async function releaseEndpoint(db: Db, id: string, holder: string): Promise<void> {
  await db
    .updateTable('webhookEndpoint')
    .set({ claimedBy: null, claimedUntil: null })
    .where('id', '=', id)
    .where('claimedBy', '=', holder)
    .execute()
}

/** Of an endpoint that is disabled nothing waits: it goes on when that is enabled. */
export interface DeliveryFigures {
  readonly waiting: number
  readonly failed: number
  readonly disabledEndpoints: number
  /** Changes that no event was made of yet. */
  readonly unmade: number
  /** Null: nothing waits. */
  readonly oldestAt: Instant | null
}

export async function deliveryFigures(db: Db): Promise<DeliveryFigures> {
  const { rows } = await sql<DeliveryFigures>`
    select waiting, oldest_at,
           (select count(*)::int from delivery where state = 'failed') as failed,
           (select count(*)::int from webhook_endpoint where state = 'disabled') as disabled_endpoints,
           (select count(*)::int from outgoing_change) as unmade
      from (select count(*)::int as waiting, min(d.created_at) as oldest_at
              from delivery d join webhook_endpoint w on w.id = d.endpoint_id
             where d.state = 'waiting' and w.state = 'enabled') as waits`.execute(db)
  const [figures] = rows
  if (!figures) throw new Error('The outbox gave no figures.')
  return figures
}

export type ListedDelivery = Row<'delivery'> &
  Pick<Row<'outgoingEvent'>, 'type' | 'customerId' | 'happenedAt'> & {
    readonly endpointState: Row<'webhookEndpoint'>['state']
    readonly url: string
  }

export interface DeliveryFilter {
  readonly endpoint?: string | undefined
  readonly state?: Row<'delivery'>['state'] | undefined
  readonly type?: string | undefined
  readonly event?: string | undefined
  readonly customer?: string | undefined
  readonly limit: number
  readonly after?: string | undefined
}

function deliveries(db: Db) {
  return db
    .selectFrom('delivery')
    .innerJoin('outgoingEvent', 'outgoingEvent.id', 'delivery.eventId')
    .innerJoin('webhookEndpoint', 'webhookEndpoint.id', 'delivery.endpointId')
    .selectAll('delivery')
    .select(['webhookEndpoint.state as endpointState', 'webhookEndpoint.url'])
    .select(['outgoingEvent.type', 'outgoingEvent.customerId', 'outgoingEvent.happenedAt'])
}

/** Newest first. */
export function listDeliveries(db: Db, filter: DeliveryFilter): Promise<ListedDelivery[]> {
  let query = deliveries(db)
  if (filter.endpoint !== undefined) query = query.where('delivery.endpointId', '=', filter.endpoint)
  if (filter.state !== undefined) query = query.where('delivery.state', '=', filter.state)
  if (filter.event !== undefined) query = query.where('delivery.eventId', '=', filter.event)
  if (filter.customer !== undefined) query = query.where('outgoingEvent.customerId', '=', filter.customer)
  if (filter.type !== undefined) query = query.where(sql<boolean>`outgoing_event.type = ${filter.type}`)
  if (filter.after !== undefined) query = query.where('delivery.id', '<', filter.after)
  return query.orderBy('delivery.id', 'desc').limit(filter.limit).execute()
}

export type DeliveryWithLog = ListedDelivery & {
  readonly data: Row<'outgoingEvent'>['data']
  readonly log: readonly Row<'deliveryAttempt'>[]
}

export async function readDelivery(db: Db, id: string): Promise<DeliveryWithLog | undefined> {
  const [delivery, log] = await Promise.all([
    deliveries(db).select('outgoingEvent.data').where('delivery.id', '=', id).executeTakeFirst(),
    db.selectFrom('deliveryAttempt').selectAll().where('deliveryId', '=', id).orderBy('ordinal').execute(),
  ])
  return delivery && { ...delivery, log }
}

/** Has it sent at once, whatever became of it before, on a schedule that begins anew. */
export async function requeueDelivery(db: Db, id: string, at: Instant): Promise<boolean> {
  const requeued = await db
    .updateTable('delivery')
    .set({ state: 'waiting', attempts: 0, nextAttemptAt: sqlTime(at), deliveredAt: null })
    .where('id', '=', id)
    .executeTakeFirst()
  return requeued.numUpdatedRows === 1n
}
