import type { PeriodTerms } from '@lockstep/core/commitment'
import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import { insertRows } from '../postgres/insert-rows.ts'
import type { NewRow, Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type InvoiceRow = Row<'invoice'>

/** Stripe's word for the renewal's invoice; ours for those that Lockstep rates, one for each period. */
export const CYCLE = 'subscription_cycle'

/** Stripe's word for the invoice of what was pending at the end of an interval that is shorter than the fees'. */
export const INTERVAL = 'automatic_pending_invoice_item_invoice'

export interface NewPeriodInvoice {
  readonly customerId: string
  readonly subscriptionId: string
  readonly planVersionId: string
  readonly currency: string
  readonly status: 'current' | 'closing'
  readonly period: Period
  /** What it is at this moment; left out, it is told by how its subscription stands when it is rated. */
  readonly terms?: PeriodTerms | undefined
  readonly openedAt: Instant
}

const insertPeriodInvoices = insertRows(
  'invoice',
  [
    ...([
      'id',
      'customerId',
      'subscriptionId',
      'planVersionId',
      'currency',
      'status',
      'billingReason',
    ] as const),
    ...(['periodStart', 'periodEnd', 'inTrial', 'wholeEnd', 'promisedFrom', 'openedAt'] as const),
  ],
  sql<{ id: string }>`
    on conflict (subscription_id, period_start) where plan_version_id is not null do nothing
    returning id`,
)

/** Opens the invoice of a period and says its id. Nothing happens if that period has one. */
export const openPeriodInvoice = grouped(
  async (trx, invoices: readonly NewPeriodInvoice[]): Promise<(string | undefined)[]> => {
    const rows = invoices.map(({ period, openedAt, terms, ...fields }) => ({
      ...fields,
      ...{ inTrial: null, wholeEnd: null, promisedFrom: null },
      ...columnsOf({ period, terms }),
      ...{ id: newId('invoice'), billingReason: CYCLE, openedAt: sqlTime(openedAt) },
    }))
    const opened = new Set((await insertPeriodInvoices(trx, rows)).map(({ id }) => id))
    return rows.map(({ id }) => (opened.has(id) ? id : undefined))
  },
)

/** What an invoice says its period is: a final one was made out for the time that it had then, also where it is cut since. */
export function periodStated({
  statedStart,
  statedEnd,
  periodStart,
  periodEnd,
}: Pick<InvoiceRow, 'statedStart' | 'statedEnd' | 'periodStart' | 'periodEnd'>): Period {
  return { start: statedStart ?? periodStart, end: statedEnd ?? periodEnd }
}

/** Makes an invoice that is not final another period's, with the lines and adjustments that it has. Says its id. */
export async function changePeriodInvoice(
  trx: Trx,
  { id, periodStart, pricesAt }: Pick<InvoiceRow, 'id' | 'periodStart' | 'pricesAt'>,
  { period, terms, ...fields }: Pick<NewPeriodInvoice, 'planVersionId' | 'status' | 'period' | 'terms'>,
): Promise<string> {
  await updateInvoice(trx, id, {
    ...{ ...fields, ...columnsOf({ period, terms }), dirty: true },
    // A price that it was given goes with it.
    pricesAt: sqlTime(Math.max(pricesAt ?? periodStart, period.start)),
    // What a pause ended that was heard of in the time that it had.
    promisedUntil: null,
  })
  return id
}

/** Has a period rated by another plan, or for what it is else; also one that is final. */
export async function changeTerms(
  trx: Trx,
  id: string,
  { planVersionId, ...of }: Pick<NewPeriodInvoice, 'planVersionId' | 'period' | 'terms'>,
): Promise<void> {
  await updateInvoice(trx, id, { planVersionId, ...columnsOf(of) })
}

function columnsOf({ period, terms }: Pick<NewPeriodInvoice, 'period' | 'terms'>) {
  return {
    periodStart: sqlTime(period.start),
    periodEnd: sqlTime(period.end),
    ...(terms && {
      inTrial: terms.inTrial,
      wholeEnd: sqlTime(terms.wholeEnd),
      promisedFrom: sqlTime(terms.promisedFrom),
    }),
  }
}

export const noProviderInvoice = {
  providerInvoiceId: null,
  number: null,
  subtotal: null,
  total: null,
  amountDue: null,
  amountPaid: null,
  amountRemaining: null,
  nextPaymentAttemptAt: null,
  hostedInvoiceUrl: null,
  invoicePdf: null,
} satisfies Partial<NewRow<'invoice'>>

/** The minimum of the period that runs is promised up to here, and not for the time after. */
export async function endPromise(trx: Trx, subscriptionId: string, at: Instant): Promise<void> {
  await trx
    .updateTable('invoice')
    .set({ promisedUntil: sqlTime(at), dirty: true })
    .where('subscriptionId', '=', subscriptionId)
    .where('status', '=', 'current')
    .where('promisedUntil', 'is', null)
    .execute()
}

/** One row of the index for each, however many periods it has had. */
export const newestPeriods = (subscriptionIds: readonly string[]) => sql<InvoiceRow>`
  select newest.* from ${given(sql`unnest(${subscriptionIds}::text[])`, sql`wanted (id)`)} as wanted
  cross join lateral (
    select * from invoice where subscription_id = wanted.id and plan_version_id is not null
    order by period_end desc, period_start desc limit 1) newest`

/**
 * The newest period of a subscription that has an invoice, whatever became of it. By its end: of one that was taken
 * back nothing is left, and it may have begun after the one that runs now.
 */
export const lastPeriodInvoice = grouped(async (db, subscriptionIds: readonly string[]) => {
  const { rows } = await newestPeriods(subscriptionIds).execute(db)
  return inOrder(subscriptionIds, rows, (row) => row.subscriptionId ?? '')
})

/** The invoices of a subscription's periods, but for those that were over at a moment; oldest first. */
export async function periodInvoicesSince(
  trx: Trx,
  subscriptionId: string,
  at: Instant,
): Promise<InvoiceRow[]> {
  return trx
    .selectFrom('invoice')
    .selectAll()
    .where('subscriptionId', '=', subscriptionId)
    .where('planVersionId', 'is not', null)
    .where('periodEnd', '>', sqlTime(at))
    .orderBy('periodStart')
    .execute()
}

/** The invoice of ours that is linked to one of the provider's. */
export const linkedInvoice = grouped(async (db, providerIds: readonly string[]) => {
  const rows = await db
    .selectFrom('invoice')
    .selectAll()
    .where(isOneOf('provider_invoice_id', providerIds))
    .execute()
  return inOrder(providerIds, rows, (row) => row.providerInvoiceId ?? '')
})

export async function updateInvoice(
  trx: Trx,
  id: string,
  change: Partial<Omit<NewRow<'invoice'>, 'id'>>,
): Promise<void> {
  await trx.updateTable('invoice').set(change).where('id', '=', id).execute()
}

/** The draft that the end of its subscription stopped is none any more. */
export async function forgetStoppedDraft(db: Db, id: string, stoppedDraft: string): Promise<void> {
  await db
    .updateTable('invoice')
    .set({ stoppedDraft: null })
    .where('id', '=', id)
    .where('stoppedDraft', '=', stoppedDraft)
    .execute()
}

/**
 * The invoices of a subscription whose lines may still have to be sent: those not final yet, and
 * those to whose period usage came late. A draft is one of ours, for what is left at the end. Oldest first.
 */
export async function invoicesToRate(db: Db | Trx, subscriptionId: string): Promise<InvoiceRow[]> {
  return db
    .selectFrom('invoice')
    .selectAll()
    .where('subscriptionId', '=', subscriptionId)
    .where((eb) =>
      eb.or([
        eb('status', 'in', ['current', 'closing', 'draft']),
        eb.and([eb('lateUsage', '=', true), eb('planVersionId', 'is not', null)]),
      ]),
    )
    .orderBy('periodStart')
    .orderBy('id')
    .execute()
}

const ofId = compiled((db, { id }: { readonly id: string }) =>
  db.selectFrom('invoice').selectAll().where('id', '=', id),
)

export async function readInvoiceRow(db: Db | Trx, id: string): Promise<InvoiceRow | undefined> {
  const [row] = await ofId(db, { id })
  return row
}

/** What a customer was billed and has not paid yet; oldest first. Those that nobody hopes for any more are none of them. */
export const unpaidInvoices = compiled((db, { customerId }: { readonly customerId: string }) =>
  db
    .selectFrom('invoice')
    .selectAll()
    .where('customerId', '=', customerId)
    .where('status', '=', 'open')
    .orderBy('finalizedAt')
    .orderBy('id'),
)

/** Whose an invoice is. */
export interface InvoiceOwner {
  readonly externalId: string
  /** The time of their test clock; null for who lives by the wall's. */
  readonly frozenAt: Instant | null
}

const ownersOf = compiled((db, { id }: { readonly id: string }) =>
  db
    .selectFrom('invoice')
    .innerJoin('customer', 'customer.id', 'invoice.customerId')
    .leftJoin('testClock', 'testClock.id', 'customer.testClockId')
    .select(['customer.externalId', 'testClock.frozenAt'])
    .where('invoice.id', '=', id),
)

export async function readInvoiceOwner(db: Db, id: string): Promise<InvoiceOwner | undefined> {
  const [owner] = await ownersOf(db, { id })
  return owner
}

export async function readInvoiceRows(db: Db | Trx, ids: readonly string[]): Promise<InvoiceRow[]> {
  if (ids.length === 0) return []
  return db
    .selectFrom('invoice')
    .selectAll()
    .where('id', 'in', [...new Set(ids)])
    .orderBy('periodStart')
    .orderBy('id')
    .execute()
}

/** The invoices that rate what a customer used in a stretch of time; oldest first. */
export async function invoicesOfTime(
  db: Db | Trx,
  customerId: string,
  { start, end }: Period,
): Promise<InvoiceRow[]> {
  return db
    .selectFrom('invoice')
    .selectAll()
    .where('customerId', '=', customerId)
    .where('planVersionId', 'is not', null)
    .where('periodStart', '<', sqlTime(end))
    .where('periodEnd', '>', sqlTime(start))
    .orderBy('periodStart')
    .orderBy('id')
    .execute()
}

/** The invoices of ours that these of the provider's are. */
export async function invoicesOfProvider(
  db: Db | Trx,
  providerInvoiceIds: readonly string[],
): Promise<InvoiceRow[]> {
  if (providerInvoiceIds.length === 0) return []
  return db.selectFrom('invoice').selectAll().where('providerInvoiceId', 'in', providerInvoiceIds).execute()
}

/** A picture of the usage was taken: what comes from now on makes it dirty again. */
export async function markPictured(trx: Trx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await trx
    .updateTable('invoice')
    .set((eb) => ({ dirty: false, syncPending: true, pictures: eb('pictures', '+', 1) }))
    .where('id', 'in', ids)
    .execute()
}

/** A share of the fees is another amount when there are more or fewer of what is paid for. */
export async function noticeFees(trx: Trx, subscriptionId: string): Promise<void> {
  await sql`
    update invoice set dirty = true
    where subscription_id = ${subscriptionId} and status in ('current', 'closing') and not dirty
      and exists (select from price p where p.plan_version_id = invoice.plan_version_id and p.kind = 'share')`.execute(
    trx,
  )
}

/**
 * Stripe says what the picture said. What a newer picture was taken of since is left to whoever took that.
 * `again`: what was said does not hold yet, so they are to be sent once more, whoever has pictured them since.
 */
export async function markSynced(
  db: Db,
  pictured: readonly Pick<InvoiceRow, 'id' | 'pictures'>[],
  { at, again }: { readonly at: Instant; readonly again: boolean },
): Promise<void> {
  if (pictured.length === 0) return
  // First: killed in between, they are sent once too often, and not once too little.
  if (again)
    await db
      .updateTable('invoice')
      .set({ dirty: true })
      .where(
        'id',
        'in',
        pictured.map(({ id }) => id),
      )
      .execute()
  await db
    .updateTable('invoice')
    .set({ syncPending: false, syncedAt: sqlTime(at), syncProblem: null })
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('id', 'pictures'),
        'in',
        pictured.map(({ id, pictures }) => tuple(id, pictures)),
      ),
    )
    .execute()
}

export interface SyncProblem {
  readonly code: string
  readonly title: string
  readonly detail: string
}

/**
 * The sync did not come to its end, and is tried again. Dirty too: it may have failed before it had a picture, and one
 * that has the newest may still come to its own end.
 */
export async function markSyncFailed(db: Db, subscriptionId: string, problem: SyncProblem): Promise<void> {
  await db
    .updateTable('invoice')
    .set({ syncProblem: JSON.stringify(problem), syncPending: true, dirty: true })
    .where('subscriptionId', '=', subscriptionId)
    .where('status', 'in', ['current', 'closing', 'draft'])
    .execute()
}

/** Whether anything of a subscription may differ from what Stripe was told. */
export async function needsSync(db: Db | Trx, subscriptionId: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from invoice i join subscription s on s.id = i.subscription_id
    where i.subscription_id = ${subscriptionId} and ${NEEDS_SYNC} limit 1`.execute(db)
  return rows.length > 0
}

/**
 * Late usage of a running subscription has marked its current invoice dirty. One that has ended has
 * none, so there the late usage itself is the reason.
 */
const NEEDS_SYNC = sql`(
  (i.status in ('current', 'closing', 'draft') and (i.dirty or i.sync_pending))
  or (i.late_usage and i.plan_version_id is not null and s.status in ('canceled', 'incomplete_expired')))`

/**
 * Subscriptions with something to tell Stripe. `closing`: only those with a period that is over, whose
 * draft does not wait for the schedule.
 */
export async function subscriptionsToSync(
  db: Db,
  { closing }: { readonly closing: boolean },
): Promise<string[]> {
  const { rows } = await sql<{ subscriptionId: string }>`
    select distinct i.subscription_id
    from invoice i join subscription s on s.id = i.subscription_id
    where ${NEEDS_SYNC} and (${!closing} or i.status <> 'current')`.execute(db)
  return rows.map(({ subscriptionId }) => subscriptionId)
}

export interface InvoiceFilter {
  readonly customer?: string | undefined
  readonly subscription?: string | undefined
  readonly status?: InvoiceRow['status'] | undefined
  readonly limit: number
  readonly after?: string | undefined
}

export type ListedInvoice = InvoiceRow & { readonly externalId: string }

/** Newest first. One more than `limit` tells that there is a next page. */
export async function listInvoiceRows(db: Db, filter: InvoiceFilter): Promise<ListedInvoice[]> {
  let query = db
    .selectFrom('invoice')
    .innerJoin('customer', 'customer.id', 'invoice.customerId')
    .selectAll('invoice')
    .select('customer.externalId')
  if (filter.customer !== undefined) query = query.where('invoice.customerId', '=', filter.customer)
  if (filter.subscription !== undefined)
    query = query.where('invoice.subscriptionId', '=', filter.subscription)
  if (filter.status !== undefined) query = query.where('invoice.status', '=', filter.status)
  if (filter.after !== undefined) query = query.where('invoice.id', '<', filter.after)
  return query
    .orderBy('invoice.id', 'desc')
    .limit(filter.limit + 1)
    .execute()
}
