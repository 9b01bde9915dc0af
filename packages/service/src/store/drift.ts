import type { AttachedAddon } from '@lockstep/core/addon'
import type { FieldDifference } from '@lockstep/core/drift'
import type { Instant } from '@lockstep/core/instant'
import { type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { isCounted } from './counted-events.ts'
import type { LinkedId } from './mapped-ids.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'
import { GROUP_VALUES } from './usage-group-recount.ts'

export interface LinkedCustomer extends LinkedId {
  readonly origin: Row<'mapping'>['origin']
  /** When both came together. */
  readonly createdAt: Instant
  readonly name: string | null
  readonly email: string | null
  /** Who it is was erased: nothing is said of it here any more. */
  readonly isErased: boolean
  /** It says here that the provider has it no more. */
  readonly isMarkedDeleted: boolean
}

function linkedTo(db: Db, { account, livemode }: ProviderAccount, ids: readonly string[]) {
  return db
    .selectFrom('mapping')
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .where(isOneOf('mapping.provider_id', ids))
}

export async function linkedCustomers(
  db: Db,
  account: ProviderAccount,
  ids: readonly string[],
): Promise<LinkedCustomer[]> {
  const rows = await linkedTo(db, account, ids)
    .where('mapping.entityType', '=', 'customer')
    .leftJoin('customer', 'customer.id', 'mapping.entityId')
    .leftJoin('customerProfile', 'customerProfile.customerId', 'mapping.entityId')
    .select(['mapping.entityId', 'mapping.providerId', 'mapping.origin', 'mapping.createdAt'])
    .select(['customerProfile.customerId', 'customerProfile.name', 'customerProfile.email'])
    .select('customer.deletedAtProvider')
    .execute()
  return rows.map(({ customerId, deletedAtProvider, ...row }) => ({
    ...row,
    isErased: customerId === null,
    isMarkedDeleted: deletedAtProvider !== null,
  }))
}

/** Whoever is linked is there: nothing says otherwise any more. */
export async function unmarkDeleted(db: Db, customerId: string): Promise<void> {
  await sql`
    update customer set deleted_at_provider = null
    where id = ${customerId} and deleted_at_provider is not null and exists (select from mapping m
      where m.entity_type = 'customer' and m.entity_id = customer.id and m.provider = ${STRIPE})`.execute(db)
}

export type LinkedSubscription = Row<'subscription'> & LinkedId

export async function linkedSubscriptions(
  db: Db,
  account: ProviderAccount,
  ids: readonly string[],
): Promise<LinkedSubscription[]> {
  return linkedTo(db, account, ids)
    .where('mapping.entityType', '=', 'subscription')
    .innerJoin('subscription', 'subscription.id', 'mapping.entityId')
    .selectAll('subscription')
    .select(['mapping.entityId', 'mapping.providerId'])
    .execute()
}

export async function invoicesLinked(db: Db, ids: readonly string[]): Promise<Row<'invoice'>[]> {
  return db.selectFrom('invoice').selectAll().where(isOneOf('provider_invoice_id', ids)).execute()
}

export interface IssuedUnlinked extends Pick<Row<'invoice'>, 'id' | 'currency' | 'status'> {
  readonly number: string
  /** The provider's id of its customer, where that is linked. */
  readonly customer: string | null
}

/** Invoices that were issued under one of these numbers, and are linked to none of the provider's. */
export async function issuedUnlinked(
  db: Db,
  { account, livemode }: ProviderAccount,
  numbers: readonly string[],
): Promise<IssuedUnlinked[]> {
  if (numbers.length === 0) return []
  const { rows } = await sql<IssuedUnlinked>`
    select i.id, i.currency, i.status, i.number, m.provider_id as customer from invoice i
      left join mapping m on m.entity_type = 'customer' and m.entity_id = i.customer_id and m.provider = ${STRIPE}
        and m.provider_account = ${account} and m.livemode = ${livemode}
    where i.provider_invoice_id is null and i.finalized_at is not null and i.number = any(${numbers})
    order by i.id`.execute(db)
  return rows
}

/** False: one of the two was linked meanwhile. */
export async function linkInvoice(db: Db, id: string, providerInvoiceId: string): Promise<boolean> {
  const { rows } = await sql`
    update invoice set provider_invoice_id = ${providerInvoiceId}
    where id = ${id} and provider_invoice_id is null and finalized_at is not null
      and not exists (select from invoice o where o.provider_invoice_id = ${providerInvoiceId})
    returning id`.execute(db)
  return rows.length > 0
}

/** Invoices that are linked and may still change: each has to be there. */
export async function openInvoiceLinks(db: Db): Promise<LinkedId[]> {
  const rows = await db
    .selectFrom('invoice')
    .select(['id as entityId', 'providerInvoiceId'])
    .where('status', 'in', ['closing', 'draft', 'open'])
    .where('providerInvoiceId', 'is not', null)
    .execute()
  return rows.map(({ entityId, providerInvoiceId }) => ({ entityId, providerId: providerInvoiceId ?? '' }))
}

/**
 * Changes that the provider's schedules are to carry out, or the one of a schedule; none of a subscription that another is being
 * made to.
 */
export function scheduledAtProvider(db: Db, only?: string): Promise<Row<'planChange'>[]> {
  let query = db
    .selectFrom('planChange')
    .selectAll()
    .where('state', '=', 'scheduled')
    .where('providerScheduleId', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('planChange as other')
            .select('other.id')
            .whereRef('other.subscriptionId', '=', 'planChange.subscriptionId')
            .where('other.state', '=', 'applying'),
        ),
      ),
    )
  if (only !== undefined) query = query.where('providerScheduleId', '=', only)
  return query.orderBy('id').execute()
}

export interface RestoredChange
  extends Pick<Row<'planChange'>, 'id' | 'planVersionId' | 'quantity' | 'itemNumbers' | 'direction'> {
  readonly addons: readonly AttachedAddon[]
  readonly dueAt: Instant
}

/** What is planned is again what its schedule says. False: nothing is planned by it any more. */
export async function restoreScheduled(
  trx: Trx,
  { id, dueAt, planVersionId, quantity, addons, itemNumbers, direction }: RestoredChange,
): Promise<boolean> {
  const restored = await trx
    .updateTable('planChange')
    .set({
      ...{ dueAt: sqlTime(dueAt), planVersionId, quantity, direction, stillTold: null },
      ...{ addons: JSON.stringify(addons), itemNumbers: JSON.stringify(itemNumbers) },
    })
    .where('id', '=', id)
    .where('state', '=', 'scheduled')
    .returning('id')
    .executeTakeFirst()
  return restored !== undefined
}

export interface StandingItem {
  readonly customerId: string
  readonly subscriptionId: string
  readonly originInvoiceId: string
  readonly providerItemId: string
  /** What was sent, in the provider's minor units. */
  readonly amount: string
  readonly currency: string
}

/** Items that were sent and wait for their invoice, or one of them, of customers whom the provider still has. */
export async function pendingItems(db: Db, only?: string): Promise<StandingItem[]> {
  const { rows } = await sql<StandingItem>`
    select i.customer_id, o.subscription_id, i.origin_invoice_id, i.provider_item_id,
      i.content->>'amount' as amount, i.content->>'currency' as currency
    from invoice_item i join invoice o on o.id = i.origin_invoice_id
      join mapping m on m.entity_type = 'customer' and m.entity_id = i.customer_id and m.provider = ${STRIPE}
    where i.state = 'placed' and i.provider_invoice_id is null and o.subscription_id is not null
      and i.provider_item_id = coalesce(${only ?? null}, i.provider_item_id)
    order by i.provider_item_id`.execute(db)
  return rows
}

export interface KnownPending {
  readonly id: string
  readonly state: Row<'pendingItem'>['state']
  readonly providerInvoiceId: string | null
  /** In the provider's minor units; null of what was never seen. */
  readonly amount: string | null
}

/** What is kept of items that are none of ours: of these, and of all that wait for an invoice, or of one of them alone. */
export async function knownPending(db: Db, ids: readonly string[], only?: string): Promise<KnownPending[]> {
  const { rows } = await sql<KnownPending>`
    select id, state, provider_invoice_id, content ->> 'amount' as amount from pending_item
    where provider = ${STRIPE} and id = coalesce(${only ?? null}, id)
      and (id = any(${ids}) or (state = 'standing' and provider_invoice_id is null
        and exists (select from mapping m where m.entity_type = 'customer' and m.entity_id = customer_id
          and m.provider = ${STRIPE})))`.execute(db)
  return rows
}

/** Of these objects, those about which something waits in the inbox, or is being done. */
export async function underWay(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    select object_id as id from provider_event where state = 'received' and object_id = any(${ids})
    union
    select m.provider_id from mapping m
      join subscription_deed d on d.subscription_id = m.entity_id and d.ended_at is null
      where m.entity_type = 'subscription' and m.provider = ${STRIPE} and m.provider_id = any(${ids})`.execute(
    db,
  )
  return new Set(rows.map(({ id }) => id))
}

export interface UsageDrift {
  readonly customerId: string
  readonly meterKey: string
  /** The values of a group's dimensions as JSON; empty of all usage together. */
  readonly named: string
  readonly events: string
  readonly rolledUp: string
}

/** Only with a filter is there something to ask of each event. */
const counts = sql`(not m.rules ? 'filter' or ${isCounted('e')})`

const MONTH = sql`date_trunc('month', bucket, 'UTC')`
const MONTH_OF_EVENT = sql`date_trunc('month', time, 'UTC')`

/** Whether it is a month whose events are no longer kept, and how far that came. */
const isOf = (month: RawBuilder<unknown>, ...states: Row<'usageExpiredMonth'>['state'][]) => sql`exists (
  select from usage_expired_month as its where its.month = ${month} and its.state = any(${states})
)`

/**
 * Customers and meters, and groups of theirs, whose rollups do not hold what their events do. One statement, so
 * that both are of one moment. Of months that were expired, what was written down of their events stands for these; of
 * their groups nothing was, and while a month is on its way out nothing of it is looked at.
 */
export async function usageDrift(db: Db, limit: number): Promise<UsageDrift[]> {
  const { rows } = await sql<UsageDrift>`
    with kept as (
      select least((select min(time) from usage_event), (select min(month) from usage_expired_month)) as since
    ),
    events as (
      select customer_id, meter_key, named, sum(count) as count, sum(sum) as sum from (
      select customer_id, meter_key, '' as named, count(*) as count, sum(quantity) as sum
      from usage_event e join meter m on m.key = e.meter_key
      where ${counts} and not ${isOf(MONTH_OF_EVENT, 'expiring')} group by customer_id, meter_key
      union all
      select customer_id, meter_key, ${GROUP_VALUES}::text as named, count(*), sum(quantity)
      from usage_event e join meter m on m.key = e.meter_key
      where m.rules ? 'dimensions' and ${counts} and not ${isOf(MONTH_OF_EVENT, 'expiring')}
      group by customer_id, meter_key, named
      union all
      select customer_id, meter_key, '', counted, sum from usage_expired
      where counted > 0 and not ${isOf(sql`month`, 'expiring')}
      ) as counted group by customer_id, meter_key, named
    ), rollups as (
      select customer_id, meter_key, '' as named, sum(count) as count, sum(sum) as sum
      from usage_rollup, kept where bucket + interval '1 hour' > kept.since and not ${isOf(MONTH, 'expiring')}
      group by customer_id, meter_key
      union all
      select r.customer_id, r.meter_key, coalesce(dimension_values::text, 'no name') as named, sum(count), sum(sum)
      from kept cross join usage_group_rollup r left join usage_group its
        on its.customer_id = r.customer_id and its.meter_key = r.meter_key and its.id = r.group_id
      where bucket + interval '1 hour' > kept.since and not ${isOf(MONTH, 'expiring', 'expired')}
      group by r.customer_id, r.meter_key, named
    )
    select customer_id, meter_key, named,
      coalesce(e.count, 0) || ' events, ' || trim_scale(coalesce(e.sum, 0)) as events,
      coalesce(r.count, 0) || ' events, ' || trim_scale(coalesce(r.sum, 0)) as rolled_up
    from events e full join rollups r using (customer_id, meter_key, named)
    where e.count is distinct from r.count or e.sum is distinct from r.sum
    order by customer_id, meter_key, named limit ${limit}`.execute(db)
  return rows
}

const HISTORY_PAGE = 1000

/** All stretches of all histories. */
export async function* historyPages(db: Db): AsyncGenerator<Row<'subscriptionHistory'>[]> {
  let after: readonly [id: string, ordinal: number] = ['', 0]
  for (;;) {
    const [id, ordinal] = after
    const page = await db
      .selectFrom('subscriptionHistory')
      .selectAll()
      .where((eb) => eb(eb.refTuple('subscriptionId', 'ordinal'), '>', eb.tuple(id, ordinal)))
      .orderBy('subscriptionId')
      .orderBy('ordinal')
      .limit(HISTORY_PAGE)
      .execute()
    if (page.length > 0) yield page
    const last = page.at(-1)
    if (last === undefined || page.length < HISTORY_PAGE) return
    after = [last.subscriptionId, last.ordinal]
  }
}

export interface StoredReport {
  readonly checkedAt: Instant
  readonly looked: number
  readonly underWay: number
  readonly drifts: readonly { readonly differences: readonly FieldDifference[] }[]
}

export async function saveReport(db: Db, report: StoredReport): Promise<void> {
  const { checkedAt, looked, underWay: waiting, drifts } = report
  // What a field says may be a person's name, and is not kept beyond the answer.
  const named = drifts.map(({ differences, ...drift }) => ({
    ...drift,
    fields: differences.map(({ field }) => field),
  }))
  const values = { checkedAt: sqlTime(checkedAt), looked, underWay: waiting, drifts: JSON.stringify(named) }
  await db
    .insertInto('driftReport')
    .values(values)
    .onConflict((on) => on.column('onlyRow').doUpdateSet(values))
    .execute()
}

/** Null: nobody has compared yet. */
export async function lastReport(db: Db): Promise<{ checkedAt: Instant; count: number } | null> {
  const { rows } = await sql<{ checkedAt: Instant; count: number }>`
    select checked_at, jsonb_array_length(drifts) as count from drift_report`.execute(db)
  return rows[0] ?? null
}
