import type { AttachedAddon } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import type { SubscriptionStatus } from '@lockstep/core/subscription'
import { sql } from 'kysely'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import { insertRows } from '../postgres/insert-rows.ts'
import { accessSql, ownTimeSql } from './access.ts'
import { STRIPE } from './mappings.ts'
import type { Row } from './schema.ts'
import { type SqlTime, sqlTime } from './time.ts'

export type Subscription = Row<'subscription'> & {
  readonly externalId: string
  readonly planKey: string
  readonly planVersion: number
  readonly providerId: string | null
  /** What the provider changes when the period is over; null where nothing is planned. */
  readonly scheduledId: string | null
  readonly scheduledPlan: string | null
  readonly scheduledVersion: number | null
  readonly scheduledQuantity: number | null
  readonly scheduledAddons: AttachedAddon[] | null
  readonly scheduledAt: Instant | null
  /** The time of the customer's test clock; null for the wall's. */
  readonly frozenAt: Instant | null
  readonly graceDays: number | null
}

function subscriptions(db: Db | Trx) {
  return db
    .selectFrom('subscription')
    .innerJoin('customer', 'customer.id', 'subscription.customerId')
    .innerJoin('planVersion', 'planVersion.id', 'subscription.planVersionId')
    .leftJoin('mapping', (join) =>
      join
        .onRef('mapping.entityId', '=', 'subscription.id')
        .on('mapping.entityType', '=', 'subscription')
        .on('mapping.provider', '=', STRIPE),
    )
    .leftJoin('planChange', (join) =>
      join
        .onRef('planChange.subscriptionId', '=', 'subscription.id')
        .on('planChange.state', '=', 'scheduled'),
    )
    .leftJoin('planVersion as planned', 'planned.id', 'planChange.planVersionId')
    .leftJoin('testClock', 'testClock.id', 'customer.testClockId')
    .leftJoin('grace', (join) => join.on('grace.onlyRow', '=', true))
    .selectAll('subscription')
    .select([
      'customer.externalId',
      'planVersion.planKey',
      'planVersion.version as planVersion',
      'mapping.providerId',
      'planChange.id as scheduledId',
      'planned.planKey as scheduledPlan',
      'planned.version as scheduledVersion',
      'planChange.quantity as scheduledQuantity',
      'planChange.addons as scheduledAddons',
      'planChange.dueAt as scheduledAt',
      'testClock.frozenAt',
      'grace.days as graceDays',
    ])
}

const ofIds = compiled((db, { ids }: { readonly ids: readonly string[] }) =>
  subscriptions(db).where(isOneOf('subscription.id', ids)),
)

export const readSubscription = grouped(
  async (db, ids: readonly string[]): Promise<(Subscription | undefined)[]> =>
    inOrder(ids, await ofIds(db, { ids }), ({ id }) => id),
)

/** The rows alone. */
export const subscriptionRows = compiled((db, { ids }: { readonly ids: readonly string[] }) =>
  db.selectFrom('subscription').selectAll().where(isOneOf('id', ids)),
)

/** Waits for whoever writes the subscription; the lock lasts as long as the transaction. */
export function lockSubscription(trx: Trx, id: string): Promise<Row<'subscription'> | undefined> {
  return trx.selectFrom('subscription').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** Why what is planned at the provider cannot be said here; null where it can. */
export async function noteUnreadSchedule(trx: Trx, id: string, reason: string | null): Promise<void> {
  await trx
    .updateTable('subscription')
    .set({ unreadSchedule: reason })
    .where('id', '=', id)
    .where('unreadSchedule', 'is distinct from', reason)
    .execute()
}

export async function startedAtOf(db: Db | Trx, id: string): Promise<Instant | undefined> {
  const row = await db.selectFrom('subscription').select('startedAt').where('id', '=', id).executeTakeFirst()
  return row?.startedAt
}

export interface SubscriptionFilter {
  readonly customer?: string | undefined
  readonly status?: SubscriptionStatus | undefined
  readonly plan?: string | undefined
  /** Attached by this key, in whatever version. */
  readonly addon?: string | undefined
  /** Its end is planned, and has not come. */
  readonly ending?: boolean | undefined
  /** A payment is overdue, and there is access all the same. */
  readonly inGrace?: boolean | undefined
  readonly trialEndsBefore?: Instant | undefined
  readonly modifiedAfter?: Instant | undefined
  /** Of the wall; a customer on a test clock has its own. */
  readonly now: Instant
  readonly limit: number
  readonly after?: string | undefined
}

const isEnding = sql<boolean>`(subscription.ended_at is null and (subscription.cancel_at is not null or subscription.cancel_at_period_end))`

function isInGrace(now: SqlTime) {
  const access = accessSql({
    status: sql`subscription.status`,
    pastDueSince: sql`subscription.past_due_since`,
    at: ownTimeSql(now),
  })
  return sql<boolean>`(${access} = 'grace')`
}

/** The filter, as it goes into the query. */
type Sought = Omit<SubscriptionFilter, 'addon' | 'trialEndsBefore' | 'modifiedAfter' | 'now'> & {
  /** A JSON array. */
  readonly addons: string | undefined
  readonly trialEndsBefore: SqlTime | undefined
  readonly modifiedAfter: SqlTime | undefined
  readonly now: SqlTime
}

const sought = compiled((db, given: Sought) => {
  let query = subscriptions(db)
  if (given.customer !== undefined) query = query.where('subscription.customerId', '=', given.customer)
  if (given.status !== undefined) query = query.where('subscription.status', '=', given.status)
  if (given.plan !== undefined) query = query.where('planVersion.planKey', '=', given.plan)
  if (given.addons !== undefined)
    query = query.where(sql<boolean>`subscription.addons @> ${given.addons}::jsonb`)
  if (given.ending !== undefined) query = query.where(isEnding, '=', given.ending)
  if (given.inGrace !== undefined) query = query.where(isInGrace(given.now), '=', given.inGrace)
  if (given.trialEndsBefore !== undefined)
    query = query
      .where('subscription.status', '=', 'trialing')
      .where('subscription.trialEnd', '<', given.trialEndsBefore)
  if (given.modifiedAfter !== undefined)
    query = query.where('subscription.modifiedAt', '>', given.modifiedAfter)
  if (given.after !== undefined) query = query.where('subscription.id', '<', given.after)
  return query.orderBy('subscription.id', 'desc').limit(given.limit)
})

/**
 * Newest first. Ids sort by the time they were made, so a page goes on where the one before it ended,
 * whatever was added meanwhile.
 */
export function listSubscriptions(db: Db, filter: SubscriptionFilter): Promise<Subscription[]> {
  const { addon, trialEndsBefore, modifiedAfter, now, ...as } = filter
  return sought(db, {
    ...as,
    addons: addon === undefined ? undefined : JSON.stringify([{ addon }]),
    trialEndsBefore: trialEndsBefore === undefined ? undefined : sqlTime(trialEndsBefore),
    modifiedAfter: modifiedAfter === undefined ? undefined : sqlTime(modifiedAfter),
    now: sqlTime(now),
  })
}

const takeSlots = insertRows(
  'subscriptionSlot',
  ['customerId', 'slot', 'subscriptionId', 'reservedAt'],
  sql<{ subscriptionId: string }>`
    on conflict (customer_id, slot) do update
      set subscription_id = excluded.subscription_id, reserved_at = excluded.reserved_at
      where exists (select from subscription s
        where s.id = known.subscription_id and s.status in ('canceled', 'incomplete_expired'))
    returning subscription_id`,
)

/**
 * Reserves a customer's slot, before the provider is asked for anything. False: it is taken. One that
 * is held by a subscription that is over, though nobody gave it back yet, is free.
 */
export const reserveSlot = grouped(async (trx, wanted: readonly WantedSlot[]): Promise<boolean[]> => {
  const rows = await takeSlots(
    trx,
    wanted.map(({ at, ...slot }) => ({ ...slot, reservedAt: sqlTime(at) })),
  )
  const taken = new Set(rows.map(({ subscriptionId }) => subscriptionId))
  return wanted.map(({ subscriptionId }) => taken.has(subscriptionId))
})

interface WantedSlot {
  readonly customerId: string
  readonly slot: string
  readonly subscriptionId: string
  readonly at: Instant
}

export async function releaseSlot(trx: Trx, subscriptionId: string): Promise<void> {
  await trx.deleteFrom('subscriptionSlot').where('subscriptionId', '=', subscriptionId).execute()
}

/**
 * Meters of a plan version that another live subscription of the customer bills, or is about to: with a slot or, as one
 * that was made at Stripe may be, without. Whoever decides by it holds the lock of {@link lockPayer}.
 */
export async function metersBilledElsewhere(
  trx: Db | Trx,
  {
    customerId,
    subscriptionId,
    planVersionId,
  }: { customerId: string; subscriptionId: string; planVersionId: string },
): Promise<string[]> {
  // What it runs on by now; one that is about to begin, what it was registered on.
  const { rows } = await sql<{ meterKey: string }>`
    with other as (
      select s.id, s.plan_version_id from subscription s
      where s.customer_id = ${customerId} and s.status not in ('canceled', 'incomplete_expired')
      union all
      select r.subscription_id, r.plan_version_id
      from subscription_slot held join registration r on r.subscription_id = held.subscription_id
      where held.customer_id = ${customerId}
        and not exists (select from subscription s where s.id = held.subscription_id)
    )
    select distinct mine.meter_key from other
      join price theirs on theirs.plan_version_id = other.plan_version_id
      join price mine on mine.meter_key = theirs.meter_key
    where other.id <> ${subscriptionId} and mine.plan_version_id = ${planVersionId}
    order by mine.meter_key`.execute(trx)
  return rows.map(({ meterKey }) => meterKey)
}

/** From here on nobody else gives this customer a subscription, or another plan that was made at Stripe. */
export async function lockPayer(trx: Trx, customerId: string): Promise<void> {
  await trx.selectFrom('customer').select('id').where('id', '=', customerId).forUpdate().execute()
}
