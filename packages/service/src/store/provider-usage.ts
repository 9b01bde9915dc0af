import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { isTerminal } from '@lockstep/core/subscription'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import type { ProviderAccount } from './mappings.ts'
import { STRIPE } from './mappings.ts'
import { nextObservation } from './provider-objects.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** An item of a subscription whose price the provider's own meters count. */
export interface MeteredItem {
  /** The provider's item, and its price. */
  readonly item: string
  readonly price: string
  /** When its period is over. */
  readonly end: Instant
}

/** A line of what those meters have counted; of a graduated price each tier has one. */
export interface CountedLine {
  /** The provider's item, its price and its product. */
  readonly item: string
  readonly price: string
  readonly product: string
  /** In the provider's units. */
  readonly amount: string
  readonly currency: string
  readonly description: string
  readonly periodStart: Instant
  readonly periodEnd: Instant
  /** Decimal text. */
  readonly quantity: string | null
  readonly isDiscountable: boolean
}

export type ProviderUsage = Row<'providerUsage'>

interface Metered extends Pick<Row<'subscription'>, 'id' | 'status' | 'endedAt'> {
  readonly meteredItems: readonly MeteredItem[]
}

/**
 * What the provider's meters count of a subscription is other than before: it is asked for soon. What was counted of an item or
 * a price that is there no more is billed in another way, or not at all, and what an end left uncounted is not billed.
 */
export async function followMeters(
  trx: Trx,
  { known, row }: { readonly known: Metered | undefined; readonly row: Metered },
  at: Instant,
): Promise<void> {
  const before = known?.meteredItems ?? []
  const isOver = isTerminal(row.status)
  const isEnd = isOver && known !== undefined && !isTerminal(known.status)
  if (before.length === 0 && row.meteredItems.length === 0) return
  if (isSame(before, row.meteredItems) && !isEnd) return
  const standing = isOver ? [] : row.meteredItems.map(nameOf)
  await sql`
    update provider_usage set lines = coalesce((
      select jsonb_agg(line order by place) from jsonb_array_elements(lines) with ordinality as listed (line, place)
      where line ->> 'item' || ' ' || (line ->> 'price') = any(${standing}::text[])), '[]')
    where subscription_id = ${row.id} and period_end > ${sqlTime(row.endedAt ?? at)}`.execute(trx)
  if (isOver || row.meteredItems.length === 0)
    await trx.deleteFrom('providerUsageReading').where('subscriptionId', '=', row.id).execute()
  else await hastenReading(trx, row.id)
}

const nameOf = ({ item, price }: Pick<MeteredItem, 'item' | 'price'>) => `${item} ${price}`

function isSame(a: readonly MeteredItem[], b: readonly MeteredItem[]): boolean {
  return (
    a.length === b.length && a.every((one, i) => nameOf(one) === nameOf(b[i] ?? one) && one.end === b[i]?.end)
  )
}

export interface Billed {
  readonly subscriptionId: string
  readonly lines: readonly CountedLine[]
  /** When the invoice was drawn up, in the customer's own time: what was counted until then stands on it. */
  readonly at: Instant
}

/**
 * An invoice that closes no period has been issued: what was counted of these until then is shown no more here, and what was used
 * since is asked for soon. Whatever was asked later does not hold it, as the draft of a renewal in the hour of this one.
 */
export async function forgetBilled(trx: Trx, { subscriptionId, lines, at }: Billed): Promise<void> {
  await sql`
    update provider_usage set (lines, stated) = (
      select coalesce(jsonb_agg(line order by place), '[]'), coalesce(sum((line ->> 'amount')::bigint), 0)
      from jsonb_array_elements(lines) with ordinality as listed (line, place)
      where line ->> 'item' || ' ' || (line ->> 'price') <> all(${lines.map(nameOf)}::text[]))
    where subscription_id = ${subscriptionId} and as_of <= ${sqlTime(at)}`.execute(trx)
  await hastenReading(trx, subscriptionId)
}

/** Before everything that is due: the customer may live by another clock than that which says when one is read. */
async function hastenReading(trx: Trx, subscriptionId: string): Promise<void> {
  const reading = { dueAt: sqlTime(0), askedSince: await nextObservation(trx) }
  await trx
    .insertInto('providerUsageReading')
    .values({ subscriptionId, ...reading })
    .onConflict((on) => on.column('subscriptionId').doUpdateSet(reading))
    .execute()
}

/** Takes some whose usage is to be asked for now, and puts each off: who dies with it in hand keeps nobody waiting for long. */
export async function claimReadings(
  db: Db,
  { now, limit, until }: { readonly now: Instant; readonly limit: number; readonly until: Instant },
): Promise<string[]> {
  const { rows } = await sql<{ subscriptionId: string }>`
    update provider_usage_reading set due_at = ${sqlTime(until)}
    where subscription_id in (
      select subscription_id from provider_usage_reading where due_at <= ${sqlTime(now)}
      order by due_at limit ${limit} for update skip locked)
    returning subscription_id`.execute(db)
  return rows.map(({ subscriptionId }) => subscriptionId)
}

export interface Reading {
  readonly subscriptionId: string
  /** The customer's own time when it was asked for. */
  readonly asOf: Instant
  readonly observation: bigint
  readonly lines: readonly CountedLine[]
  /** The next one. */
  readonly dueAt: Instant
}

/**
 * Writes down what was counted, unless something newer is known, or something happened since that it does not know of. The
 * subscription is locked, and counts what its row says.
 */
export async function writeReading(
  trx: Trx,
  { subscriptionId, asOf, observation, lines, dueAt }: Reading,
): Promise<'written' | 'overtaken' | 'nothing counted'> {
  const subscription = await trx
    .selectFrom('subscription')
    .select(['status', 'meteredItems', 'currentPeriodStart', 'currentPeriodEnd'])
    .where('id', '=', subscriptionId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (isTerminal(subscription.status) || subscription.meteredItems.length === 0) return 'nothing counted'
  const { numUpdatedRows } = await trx
    .updateTable('providerUsageReading')
    .set({ dueAt: sqlTime(dueAt) })
    .where('subscriptionId', '=', subscriptionId)
    .where('askedSince', '<', observation)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return 'overtaken'
  const standing = new Set(subscription.meteredItems.map(nameOf))
  const counted = lines.filter((line) => standing.has(nameOf(line)))
  // Asked and nothing counted is known as well.
  const running = { start: subscription.currentPeriodStart, end: subscription.currentPeriodEnd }
  const period = counted.length === 0 ? running : periodOf(counted)
  const isNewer = await putUsage(trx, { subscriptionId, asOf, observation, lines: counted, period })
  // What ran until another moment when it was asked for before is this.
  await trx
    .deleteFrom('providerUsage')
    .where('subscriptionId', '=', subscriptionId)
    .where('observation', '<', observation)
    .where('periodEnd', '>', sqlTime(asOf))
    .where('periodEnd', '<>', sqlTime(period.end))
    .execute()
  return isNewer ? 'written' : 'overtaken'
}

/** What a draft of the provider's says of a period that is over, as it stands there until it is final. */
export async function writeDraftUsage(
  trx: Trx,
  draft: Pick<Reading, 'subscriptionId' | 'asOf' | 'observation' | 'lines'>,
): Promise<void> {
  if (draft.lines.length > 0) await putUsage(trx, { ...draft, period: periodOf(draft.lines) })
}

const periodOf = (lines: readonly CountedLine[]): Period => ({
  start: Math.min(...lines.map(({ periodStart }) => periodStart)),
  end: Math.max(...lines.map(({ periodEnd }) => periodEnd)),
})

interface UsageOfPeriod extends Pick<Reading, 'subscriptionId' | 'asOf' | 'observation' | 'lines'> {
  readonly period: Period
}

/** False: something newer is known of that period. */
async function putUsage(
  trx: Trx,
  { subscriptionId, asOf, observation, lines, period }: UsageOfPeriod,
): Promise<boolean> {
  const stated = lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
  const { rows } = await sql`
    insert into provider_usage as known (subscription_id, period_start, period_end, as_of, observation, stated, lines)
    values (${subscriptionId}, ${sqlTime(period.start)}, ${sqlTime(period.end)}, ${sqlTime(asOf)}, ${observation},
      ${stated}, ${JSON.stringify(lines)})
    on conflict (subscription_id, period_end) do update set period_start = excluded.period_start,
      as_of = excluded.as_of, observation = excluded.observation, stated = excluded.stated, lines = excluded.lines
    where known.observation < excluded.observation
    returning 1`.execute(trx)
  return rows.length > 0
}

/** What was counted of these subscriptions, the newest period last. */
export async function providerUsageOf(
  db: Db | Trx,
  subscriptionIds: readonly string[],
): Promise<readonly ProviderUsage[]> {
  if (subscriptionIds.length === 0) return []
  return db
    .selectFrom('providerUsage')
    .selectAll()
    .where(isOneOf('subscriptionId', subscriptionIds))
    .orderBy('periodEnd')
    .execute()
}

/** An invoice is final: its own lines say what it bills. */
export async function forgetUsageOf(
  trx: Trx,
  { subscriptionId, periodEnd }: { readonly subscriptionId: string; readonly periodEnd: Instant },
): Promise<void> {
  await trx
    .deleteFrom('providerUsage')
    .where('subscriptionId', '=', subscriptionId)
    .where('periodEnd', '<=', sqlTime(periodEnd))
    .execute()
}

export interface MeteredSubscription {
  readonly id: string
  readonly providerId: string
  /** It was asked for since then. */
  readonly observedAfter: boolean
}

/** Linked subscriptions that run and have something that the provider's meters count, by id, in pages; `since`: an observation. */
export async function* meteredSubscriptions(
  db: Db,
  { account, livemode }: ProviderAccount,
  since: bigint,
): AsyncGenerator<MeteredSubscription[]> {
  for (let after = ''; ; ) {
    const { rows } = await sql<MeteredSubscription>`
      select s.id, m.provider_id, exists (
          select from provider_usage u where u.subscription_id = s.id and u.observation > ${since}
            and u.period_end > u.as_of) as observed_after
        from provider_usage_reading r
        join subscription s on s.id = r.subscription_id
        join mapping m on m.provider = ${STRIPE} and m.provider_account = ${account} and m.livemode = ${livemode}
          and m.entity_type = 'subscription' and m.entity_id = s.id
      where r.subscription_id > ${after}
      order by r.subscription_id limit 500`.execute(db)
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    after = last.id
  }
}
