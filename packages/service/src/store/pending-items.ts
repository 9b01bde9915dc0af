import type { Instant } from '@lockstep/core/instant'
import type { TaxRate } from '@lockstep/core/tax-rate'
import { sql } from 'kysely'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { STRIPE } from './mappings.ts'
import type { Row } from './schema.ts'

/** What an item of the provider's says that waits to be billed. Amounts are in the provider's own units. */
export interface PendingContent {
  readonly amount: string
  /** Of a proration, without the discounts that it carries itself; null where discounts are still to be taken off. */
  readonly net: string | null
  readonly currency: string
  readonly description: string
  readonly periodStart: Instant
  readonly periodEnd: Instant
  /** In the customer's own time. */
  readonly madeAt: Instant
  readonly quantity: number | null
  readonly isProration: boolean
  readonly isDiscountable: boolean
  /** The provider's product. */
  readonly product: string | null
  /** Its own, by the provider's ids. */
  readonly discounts: readonly string[]
  /** Its own, which take the place of the invoice's. */
  readonly taxRates: readonly TaxRate[]
}

export type PendingItem = Pick<Row<'pendingItem'>, 'id' | 'subscriptionId' | 'providerInvoiceId'> & {
  readonly content: PendingContent
}

interface SeenItem {
  readonly id: string
  readonly customerId: string
  readonly subscriptionId: string | null
  readonly providerInvoiceId: string | null
  readonly content: PendingContent
}

/** Writes down how an item stands. One that was billed or deleted does not come back. */
export async function writePendingItem(trx: Trx, { content, ...item }: SeenItem): Promise<void> {
  const seen = { ...item, state: 'standing' as const, content: JSON.stringify(content) }
  const { subscriptionId, providerInvoiceId, state } = seen
  await trx
    .insertInto('pendingItem')
    .values({ provider: STRIPE, ...seen })
    .onConflict((on) =>
      on
        .columns(['customerId', 'provider', 'id'])
        .doUpdateSet({ subscriptionId, providerInvoiceId, state, content: seen.content })
        .where('pendingItem.state', '!=', 'gone'),
    )
    .execute()
}

/** These are billed, whether they were heard of before or will be: what is told late of one brings it back no more. */
export async function settlePendingItems(
  trx: Trx,
  customerId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await trx
    .insertInto('pendingItem')
    .values(
      [...new Set(ids)].sort().map((id) => ({
        ...{ provider: STRIPE, id, customerId, subscriptionId: null, providerInvoiceId: null },
        state: 'gone' as const,
      })),
    )
    .onConflict((on) => on.columns(['customerId', 'provider', 'id']).doUpdateSet({ state: 'gone' }))
    .execute()
}

/** It was deleted. */
export async function forgetPendingItem(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('pendingItem')
    .set({ state: 'gone' })
    .where('provider', '=', STRIPE)
    .where('id', '=', id)
    .execute()
}

/** A draft took these. */
export async function putOnDraft(trx: Trx, draft: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await trx
    .updateTable('pendingItem')
    .set({ providerInvoiceId: draft })
    .where('provider', '=', STRIPE)
    .where('id', 'in', ids)
    .where('state', '!=', 'gone')
    .execute()
}

/** A draft is no more: what stood on it waits for the next. https://docs.stripe.com/api/invoices/delete */
export async function takeOffDraft(trx: Trx, draft: string): Promise<void> {
  await trx
    .updateTable('pendingItem')
    .set({ providerInvoiceId: null })
    .where('provider', '=', STRIPE)
    .where('providerInvoiceId', '=', draft)
    .where('state', '!=', 'gone')
    .execute()
}

const standingOf = compiled((db, { customerId }: { readonly customerId: string }) =>
  db
    .selectFrom('pendingItem')
    .select(['id', 'subscriptionId', 'providerInvoiceId', 'content'])
    .where('customerId', '=', customerId)
    .where('state', '=', 'standing')
    .orderBy(sql`(content ->> 'madeAt')::numeric`, 'desc')
    .orderBy('id'),
)

/** Everything of a customer's that is to be billed and none of ours, in the order in which an invoice lists it. */
export async function standingItems(db: Db | Trx, customerId: string): Promise<PendingItem[]> {
  const rows = await standingOf(db, { customerId })
  return rows.flatMap(({ content, ...row }) => (content === null ? [] : [{ ...row, content }]))
}

export interface Listed {
  readonly customerId: string
  readonly subscriptionId: string
  /** Of all that was listed. */
  readonly ids: readonly string[]
  /** The drafts whose items were listed as well. */
  readonly drafts: readonly string[]
  /** Drawn before the list was asked for. */
  readonly observation: bigint
}

/**
 * A list named all that stands for a subscription, and not these: they are on another invoice, or gone. What was heard of
 * after it was asked for is newer than the list.
 */
export async function missUnlisted(
  db: Db,
  { customerId, subscriptionId, ids, drafts, observation }: Listed,
): Promise<void> {
  await sql`
    update pending_item item set state = 'absent'
    where customer_id = ${customerId} and item.provider = ${STRIPE} and state = 'standing'
      and (subscription_id = ${subscriptionId} or subscription_id is null)
      and (provider_invoice_id is null or provider_invoice_id = any(${[...drafts]}::text[]))
      and id <> all(${[...ids]}::text[])
      and not exists (select from provider_object seen where seen.provider = item.provider
        and seen.type = 'invoiceitem' and seen.id = item.id and seen.observation > ${observation})`.execute(
    db,
  )
}
