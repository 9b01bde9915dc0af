import type { Derivation } from '@lockstep/core/derivation'
import type { Instant } from '@lockstep/core/instant'
import { formatQuantity, type Quantity } from '@lockstep/core/quantity'
import { sql } from 'kysely'
import { compiled, compiledSql } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** Everything that a call for an item sends; kept, so that the same call can be made again. */
export interface ItemContent {
  readonly amount: string
  readonly currency: string
  readonly description: string
  readonly periodStart: number
  readonly periodEnd: number
  /** The provider's product; null for credits, which name none. */
  readonly product: string | null
  readonly quantity: string | null
  /**
   * Of what gives back: what discounts had taken off what it takes back, in major units. Left out of calls that were
   * intended before it was told.
   */
  readonly discounted?: string | null
  /** Left out where the provider's own rule holds: discounts are taken off what charges and off no credit. */
  readonly discountable?: false
}

export type ItemRow = Omit<Row<'invoiceItem'>, 'content' | 'derivation'> & {
  readonly content: ItemContent
  readonly derivation: Derivation | null
}

/** One period's price, and how many parts of it were billed before this one. */
export interface ItemKey {
  readonly originInvoiceId: string
  readonly lineKey: string
  readonly revision: number
}

/** The operation of the call that a row intends: a new one for each version of the row. */
export function itemOperation({ originInvoiceId, lineKey, revision, version }: ItemRow): string {
  return `item/${originInvoiceId}/${lineKey}/${revision}/${version}`
}

const ofOrigins = compiled((db, { originInvoiceIds }: { readonly originInvoiceIds: readonly string[] }) =>
  db
    .selectFrom('invoiceItem')
    .selectAll()
    .where(isOneOf('origin_invoice_id', originInvoiceIds))
    .orderBy('originInvoiceId')
    .orderBy('lineKey')
    .orderBy('revision'),
)

/** All items of the lines of these periods, whatever became of them, oldest revision first. */
export async function itemsOf(db: Db | Trx, originInvoiceIds: readonly string[]): Promise<ItemRow[]> {
  if (originInvoiceIds.length === 0) return []
  return (await ofOrigins(db, { originInvoiceIds })) as ItemRow[]
}

const waitingOf = compiledSql(
  ({ customerId }: { readonly customerId: string }) => sql<{ subscriptionId: string | null; items: number }>`
    select origin.subscription_id, count(*)::int4 as items
    from invoice_item item join invoice origin on origin.id = item.origin_invoice_id
    where item.customer_id = ${customerId} and item.state in ('intended', 'placed') and item.provider_invoice_id is null
    group by origin.subscription_id`,
)

/** How many items of a customer's are pending, or are being made so, of other subscriptions than this one. */
export async function waitingElsewhere(
  db: Db | Trx,
  { customerId, id }: { readonly customerId: string; readonly id: string },
): Promise<number> {
  const rows = await waitingOf(db, { customerId })
  return rows.reduce((sum, { subscriptionId, items }) => (subscriptionId === id ? sum : sum + items), 0)
}

/** What invoices carry of the period of a subscription that began then. */
export async function billedItemsOf(
  db: Db,
  { subscriptionId, periodStart }: { readonly subscriptionId: string; readonly periodStart: Instant },
): Promise<Pick<ItemRow, 'lineKey' | 'derivation'>[]> {
  const rows = await db
    .selectFrom('invoiceItem')
    .innerJoin('invoice', 'invoice.id', 'invoiceItem.originInvoiceId')
    .select(['invoiceItem.lineKey', 'invoiceItem.derivation'])
    .where('invoice.subscriptionId', '=', subscriptionId)
    .where('invoice.periodStart', '=', sqlTime(periodStart))
    .where('invoiceItem.state', '=', 'billed')
    .execute()
  return rows as Pick<ItemRow, 'lineKey' | 'derivation'>[]
}

/** What stands on one of the provider's invoices. */
export async function itemsOnInvoice(db: Db | Trx, providerInvoiceId: string): Promise<ItemRow[]> {
  const rows = await db
    .selectFrom('invoiceItem')
    .selectAll()
    .where('providerInvoiceId', '=', providerInvoiceId)
    .where('state', 'in', ['intended', 'placed', 'billed'])
    .orderBy('originInvoiceId')
    .orderBy('lineKey')
    .execute()
  return rows as ItemRow[]
}

/** Calls that may be on their way, or were when a process died. */
export async function intendedItems(db: Db | Trx, subscriptionId: string): Promise<ItemRow[]> {
  const rows = await db
    .selectFrom('invoiceItem')
    .innerJoin('invoice', 'invoice.id', 'invoiceItem.originInvoiceId')
    .selectAll('invoiceItem')
    .where('invoice.subscriptionId', '=', subscriptionId)
    .where('invoiceItem.state', '=', 'intended')
    .orderBy('invoiceItem.originInvoiceId')
    .orderBy('invoiceItem.lineKey')
    .execute()
  return rows as ItemRow[]
}

export interface Intention extends ItemKey {
  readonly customerId: string
  readonly amount: bigint
  readonly quantity: Quantity | null
  readonly content: ItemContent
  readonly derivation: Derivation
  /** The item to change; null to make one. */
  readonly providerItemId: string | null
  /** Where it stands or shall stand; null for pending on the subscription. */
  readonly providerInvoiceId: string | null
  /** The version of the row that the plan was made from; null if there was none. */
  readonly seenVersion: number | null
}

/**
 * Commits that a call is about to be made. Undefined if somebody else has changed the row since the
 * plan was made: then the plan is no longer true.
 */
export async function intendItem(db: Db, intention: Intention): Promise<ItemRow | undefined> {
  const { seenVersion, originInvoiceId, lineKey, revision, customerId } = intention
  const written = {
    state: 'intended' as const,
    amount: intention.amount,
    quantity: quantityText(intention.quantity),
    content: JSON.stringify(intention.content),
    derivation: JSON.stringify(intention.derivation),
    providerItemId: intention.providerItemId,
    providerInvoiceId: intention.providerInvoiceId,
  }
  const query =
    seenVersion === null
      ? db
          .insertInto('invoiceItem')
          .values({ customerId, originInvoiceId, lineKey, revision, ...written })
          .onConflict((on) => on.doNothing())
          .returningAll()
      : db
          .updateTable('invoiceItem')
          .set({ ...written, version: seenVersion + 1 })
          .where('originInvoiceId', '=', originInvoiceId)
          .where('lineKey', '=', lineKey)
          .where('revision', '=', revision)
          .where('version', '=', seenVersion)
          .where('state', 'in', ['placed', 'removed'])
          .returningAll()
  return (await query.executeTakeFirst()) as ItemRow | undefined
}

interface Outcome {
  readonly state: 'placed' | 'removed'
  readonly providerItemId: string | null
  readonly providerInvoiceId: string | null
  /** When the provider says that it was made; left out where nothing was learned of that. */
  readonly madeAt?: Instant
}

/** The intended call came to its end. False if somebody else has settled it, or gone on, meanwhile. */
export async function settleItem(db: Db, row: ItemRow, { madeAt, ...outcome }: Outcome): Promise<boolean> {
  const settled = await db
    .updateTable('invoiceItem')
    .set({ ...outcome, ...(madeAt !== undefined && { madeAt: sqlTime(madeAt) }) })
    .where('originInvoiceId', '=', row.originInvoiceId)
    .where('lineKey', '=', row.lineKey)
    .where('revision', '=', row.revision)
    .where('version', '=', row.version)
    .where('state', '=', 'intended')
    .executeTakeFirst()
  return settled.numUpdatedRows === 1n
}

/** What was placed is gone from the provider. */
export async function forgetItem(db: Db, row: ItemRow): Promise<void> {
  await db
    .updateTable('invoiceItem')
    .set({ state: 'removed', providerItemId: null, providerInvoiceId: null })
    .where('originInvoiceId', '=', row.originInvoiceId)
    .where('lineKey', '=', row.lineKey)
    .where('revision', '=', row.revision)
    .where('version', '=', row.version)
    .where('state', '=', 'placed')
    .execute()
}

export interface Adoption extends ItemKey {
  readonly customerId: string
  readonly amount: bigint
  readonly quantity: Quantity | null
  readonly content: ItemContent
  readonly derivation: Derivation | null
  readonly providerItemId: string
  readonly providerInvoiceId: string | null
  readonly madeAt: Instant
}

/**
 * An item of ours that stands at the provider and was not, or otherwise, remembered here. Undefined if
 * it was billed meanwhile.
 */
export async function adoptItem(db: Db | Trx, item: Adoption): Promise<ItemRow | undefined> {
  const values = {
    ...item,
    quantity: quantityText(item.quantity),
    content: JSON.stringify(item.content),
    derivation: item.derivation === null ? null : JSON.stringify(item.derivation),
    state: 'placed' as const,
    madeAt: sqlTime(item.madeAt),
  }
  const row = await db
    .insertInto('invoiceItem')
    .values(values)
    .onConflict((on) =>
      on
        .columns(['originInvoiceId', 'lineKey', 'revision'])
        .doUpdateSet({
          state: 'placed',
          amount: values.amount,
          quantity: values.quantity,
          content: values.content,
          derivation: values.derivation,
          providerItemId: values.providerItemId,
          providerInvoiceId: values.providerInvoiceId,
          madeAt: values.madeAt,
        })
        .where('invoiceItem.state', '!=', 'billed'),
    )
    .returningAll()
    .executeTakeFirst()
  return row as ItemRow | undefined
}

interface BilledItem extends ItemKey {
  readonly customerId: string
  readonly amount: bigint
  readonly quantity: string | null
  /** What discounts took off it; of what gives back, what they had taken off what it takes back. */
  readonly discounted: bigint
  /** Of an item that was not remembered here. */
  readonly content: ItemContent
  /** Null for what cost nothing and went onto no invoice. */
  readonly providerItemId: string | null
  readonly providerInvoiceId: string | null
}

/** The item is on a finalized invoice, with what that invoice says of it: no later call changes it. */
export async function billItem(trx: Trx, { content, ...item }: BilledItem): Promise<void> {
  const { amount, quantity, discounted, providerItemId, providerInvoiceId } = item
  await trx
    .insertInto('invoiceItem')
    .values({ ...item, state: 'billed', content: JSON.stringify(content) })
    .onConflict((on) =>
      on
        .columns(['originInvoiceId', 'lineKey', 'revision'])
        .doUpdateSet({ state: 'billed', amount, quantity, discounted, providerItemId, providerInvoiceId }),
    )
    .execute()
}

const quantityText = (quantity: Quantity | null) => (quantity === null ? null : formatQuantity(quantity))
