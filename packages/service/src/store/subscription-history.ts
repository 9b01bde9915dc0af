import type { Instant } from '@lockstep/core/instant'
import { addonRevenue, recurringRevenue } from '@lockstep/core/recurring-revenue'
import {
  type ChangeFacts,
  causeOf,
  type HistoryCause,
  type HistoryState,
  isSameState,
  takesEffectAt,
} from '@lockstep/core/subscription-history'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { grouped } from '../postgres/grouped.ts'
import { type GivenRow, insertRows } from '../postgres/insert-rows.ts'
import { loadAttached, soldOf } from './addons.ts'
import { loadPlanVersion } from './plans.ts'
import type { Row } from './schema.ts'
import { type DeedKind, deedUnderWay } from './subscription-deeds.ts'
import { sqlTime } from './time.ts'

export type HistoryRow = Row<'subscriptionHistory'>

/** What is known of a subscription that history is written of. */
export interface Lived extends HistoryState, Omit<ChangeFacts, 'cancellationReason'> {
  readonly id: string
  readonly customerId: string
  readonly currentPeriodStart: Instant
}

/**
 * Writes history down, in the transaction that changes the subscription: where the state differs, the
 * open stretch ends and the next begins. What stays the same costs no query.
 */
export async function recordHistory(
  trx: Trx,
  {
    before,
    after,
    cancellationReason,
    isPlanChange = false,
    isTakenUp = false,
    now: heardAt,
  }: {
    readonly before: Lived | undefined
    readonly after: Lived
    readonly cancellationReason: string | null
    /** A plan change of ours takes effect. */
    readonly isPlanChange?: boolean
    /** It was made at the provider: nobody registered it here. */
    readonly isTakenUp?: boolean
    readonly now: Instant
  },
): Promise<void> {
  if (before && isSameState(before, after)) return
  // Written before histories were kept: it begins with what was known.
  const [open, deed] = before
    ? await Promise.all([openStretch(trx, after.id), deedUnderWay(trx, after.id)])
    : []
  const last = before && (open ?? (await beginHistory(trx, before, heardAt)))
  const facts = { ...after, cancellationReason }
  const now = asLateAs(after, heardAt)
  const startsAt = takesEffectAt(last && { ...last, since: last.startsAt }, after, facts, now)
  // In this order: the next one begins where the one before it ended.
  await Promise.all([
    last && endStretch(trx, last, startsAt),
    addStretch(trx, after, {
      ordinal: (last?.ordinal ?? 0) + 1,
      startsAt,
      cause: isPlanChange
        ? 'planChange'
        : !before && isTakenUp
          ? 'provider'
          : causeOf(last, after, facts, (deed?.kind as DeedKind | undefined) ?? null),
      deedId: deed?.id ?? null,
      recordedAt: now,
    }),
  ])
}

/** It is as late as what is told of, though how late its test clock says it is may be told after it. */
export function asLateAs(
  { currentPeriodStart, endedAt }: Pick<Lived, 'currentPeriodStart' | 'endedAt'>,
  heardAt: Instant,
): Instant {
  return Math.max(heardAt, currentPeriodStart, endedAt ?? heardAt)
}

/** Begins the history of a subscription that has none, with how it stands. */
function beginHistory(trx: Trx, state: Lived, now: Instant): Promise<HistoryRow> {
  return addStretch(trx, state, {
    ordinal: 1,
    startsAt: Math.min(state.startedAt, now),
    cause: 'found',
    deedId: null,
    recordedAt: now,
  })
}

/**
 * Has the history say how the subscription stands, where a version without histories wrote that. Since when
 * is not known, but where the provider named a moment. False: it said so already.
 */
export async function catchUpHistory(trx: Trx, state: Lived, now: Instant): Promise<boolean> {
  const last = await openStretch(trx, state.id)
  if (last && isSameState(last, state)) return false
  if (!last) {
    await beginHistory(trx, state, now)
    return true
  }
  const facts = { ...state, cancellationReason: null }
  const startsAt = takesEffectAt({ ...last, since: last.startsAt }, state, facts, now)
  await endStretch(trx, last, startsAt)
  const begin = { ordinal: last.ordinal + 1, startsAt, deedId: null, recordedAt: now }
  await addStretch(trx, state, { ...begin, cause: 'found' })
  return true
}

/** Whether nothing was collected at a moment. What became final then, or was kept, stays so when collection goes on. */
export async function wasPausedAt(db: Db | Trx, subscriptionId: string, at: Instant): Promise<boolean> {
  const paused = await db
    .selectFrom('subscriptionHistory')
    .select('ordinal')
    .where('subscriptionId', '=', subscriptionId)
    .where('collection', '<>', 'charging')
    .where('startsAt', '<=', sqlTime(at))
    .where('endsAt', '>', sqlTime(at))
    .limit(1)
    .executeTakeFirst()
  return paused !== undefined
}

/**
 * Whether somebody at the provider made something else of it in the period that runs. An answer to a call of ours may be
 * the first to show it: then its stretch has the cause of that call, and other terms, which only a change of plan makes.
 */
export async function isChangedElsewhere(db: Db | Trx, subscriptionId: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from subscription_history h
    join subscription s on s.id = h.subscription_id
    left join subscription_history before on before.subscription_id = h.subscription_id and before.ordinal = h.previous
    where h.subscription_id = ${subscriptionId} and h.starts_at >= s.current_period_start
      and (h.cause = 'provider' or (h.cause <> 'planChange' and before.ordinal is not null
        and (before.plan_version_id, before.quantity, before.addons, before.item_numbers)
          is distinct from (h.plan_version_id, h.quantity, h.addons, h.item_numbers)))
    limit 1`.execute(db)
  return rows.length > 0
}

/** Subscriptions whose history does not say how they stand, by id, after one. */
export async function behindHistory(db: Db, after: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('subscription as s')
    .select('s.id')
    .where('s.id', '>', after)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('subscriptionHistory as h')
            .select('h.ordinal')
            .whereRef('h.subscriptionId', '=', 's.id')
            .where('h.endsAt', '=', sql<Instant>`'infinity'`)
            .whereRef('h.status', '=', 's.status')
            .whereRef('h.planVersionId', '=', 's.planVersionId')
            .whereRef('h.currency', '=', 's.currency')
            .whereRef('h.quantity', '=', 's.quantity')
            .whereRef('h.addons', '=', 's.addons')
            .whereRef('h.itemNumbers', '=', 's.itemNumbers')
            .whereRef('h.collection', '=', 's.collection')
            .whereRef('h.cancelAt', 'is not distinct from', 's.cancelAt')
            .whereRef('h.cancelAtPeriodEnd', '=', 's.cancelAtPeriodEnd'),
        ),
      ),
    )
    .orderBy('s.id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

function openStretch(trx: Trx, subscriptionId: string): Promise<HistoryRow | undefined> {
  return trx
    .selectFrom('subscriptionHistory')
    .selectAll()
    .where('subscriptionId', '=', subscriptionId)
    .orderBy('ordinal', 'desc')
    .limit(1)
    .executeTakeFirst()
}

async function endStretch(trx: Trx, { subscriptionId, ordinal }: HistoryRow, at: Instant): Promise<void> {
  await trx
    .updateTable('subscriptionHistory')
    .set({ endsAt: sqlTime(at) })
    .where('subscriptionId', '=', subscriptionId)
    .where('ordinal', '=', ordinal)
    .execute()
}

interface Begin extends Pick<HistoryRow, 'ordinal' | 'startsAt' | 'deedId' | 'recordedAt'> {
  readonly cause: HistoryCause
}

async function addStretch(
  trx: Trx,
  { id: subscriptionId, customerId, ...state }: Lived,
  { ordinal, startsAt, cause, deedId, recordedAt }: Begin,
): Promise<HistoryRow> {
  const { planVersionId, status, currency, quantity, collection, cancelAt, cancelAtPeriodEnd } = state
  const { itemNumbers } = state
  const fee = await feeOf(trx, state)
  const addons = (await loadAttached(trx, state.addons)).map(soldOf)
  return writeStretch(trx, {
    ...{ customerId, subscriptionId, ordinal, cause, deedId },
    ...{ planVersionId, status, currency, quantity, itemNumbers, collection, cancelAtPeriodEnd },
    cancelAt: cancelAt === null ? null : sqlTime(cancelAt),
    addons: [...state.addons],
    fee: fee + addonRevenue(addons, currency, itemNumbers).minor,
    startsAt: sqlTime(startsAt),
    // The clock of whoever wrote the stretch before may be ahead of ours.
    recordedAt: sqlTime(Math.max(recordedAt, startsAt)),
  })
}

const columns = [
  ...([
    'customerId',
    'subscriptionId',
    'ordinal',
    'cause',
    'deedId',
    'planVersionId',
    'status',
    'currency',
  ] as const),
  ...([
    'quantity',
    'addons',
    'itemNumbers',
    'collection',
    'cancelAt',
    'cancelAtPeriodEnd',
    'fee',
    'startsAt',
    'recordedAt',
  ] as const),
]
const insertStretches = insertRows('subscriptionHistory', columns, sql<HistoryRow>`returning *`)

const writeStretch = grouped(
  async (trx, stretches: readonly GivenRow<'subscriptionHistory', (typeof columns)[number]>[]) => {
    const rows = await insertStretches(trx, stretches)
    const written = new Map(rows.map((row) => [`${row.subscriptionId} ${row.ordinal}`, row]))
    return stretches.map(({ subscriptionId, ordinal }) => {
      const row = written.get(`${subscriptionId} ${ordinal}`)
      if (!row) throw new Error(`Stretch ${ordinal} of ${subscriptionId} was not written.`)
      return row
    })
  },
)

/** What one interval of the plan costs. */
async function feeOf(trx: Trx, { planVersionId, quantity, itemNumbers }: HistoryState): Promise<bigint> {
  return recurringRevenue((await loadPlanVersion(trx, planVersionId)).plan, quantity, itemNumbers).minor
}

/** How many of what is paid for. */
export type Numbers = Pick<HistoryState, 'quantity' | 'itemNumbers'>

/**
 * The numbers that were in force at the end of each of these invoices' periods, by invoice. One whose
 * subscription has no history that goes back so far is left out.
 */
export async function numbersAtEnd(
  db: Db | Trx,
  invoiceIds: readonly string[],
): Promise<ReadonlyMap<string, Numbers>> {
  if (invoiceIds.length === 0) return new Map()
  const { rows } = await sql<Numbers & { id: string }>`
    select invoice.id, stretch.quantity, stretch.item_numbers from invoice cross join lateral (
      select quantity, item_numbers from subscription_history
      where subscription_id = invoice.subscription_id and starts_at < invoice.period_end
      order by ordinal desc limit 1
    ) as stretch
    where ${isOneOf('invoice.id', invoiceIds)}`.execute(db)
  return new Map(rows.map(({ id, ...numbers }) => [id, numbers]))
}

export interface Stretch extends HistoryRow {
  readonly planKey: string
  readonly planVersion: number
  readonly actor: string | null
  readonly reason: string | null
}

/** Of a change of plan that was asked of us: it took effect in the transaction, and so at the moment, that wrote the stretch. */
const whoAsked = sql`(
  select requested_by from plan_change c
   where h.cause = 'planChange' and c.subscription_id = h.subscription_id and c.effective_at = h.recorded_at
     and c.plan_version_id = h.plan_version_id and c.quantity = h.quantity and c.origin <> 'provider'
   order by c.id desc limit 1)`

const whoRegistered = sql`(
  select requested_by from registration r where h.cause = 'registration' and r.subscription_id = h.subscription_id)`

/** Newest first; `before` is the ordinal of the last one of the page before. */
export function listHistory(
  db: Db,
  subscriptionId: string,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<Stretch[]> {
  let query = db
    .selectFrom('subscriptionHistory as h')
    .innerJoin('planVersion', 'planVersion.id', 'h.planVersionId')
    .leftJoin('subscriptionDeed as d', 'd.id', 'h.deedId')
    .selectAll('h')
    .select(['planVersion.planKey', 'planVersion.version as planVersion', 'd.reason'])
    .select(sql<string | null>`coalesce(d.actor, ${whoAsked}, ${whoRegistered})`.as('actor'))
    .where('h.subscriptionId', '=', subscriptionId)
  if (before !== undefined) query = query.where('h.ordinal', '<', before)
  return query.orderBy('h.ordinal', 'desc').limit(limit).execute()
}
