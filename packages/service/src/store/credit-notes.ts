import type { Instant } from '@lockstep/core/instant'
import type { Money } from '@lockstep/core/money'
import type { CreditNoteStatus } from '@lockstep/core/money-back'
import type { Db, Trx } from '../postgres/connect.ts'
import type { NewRow, Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type CreditNote = Row<'creditNote'>

export function readCreditNote(db: Db | Trx, id: string): Promise<CreditNote | undefined> {
  return db.selectFrom('creditNote').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The one that a credit note of the provider's is; by our own name first, which it has before it has theirs. */
export function findCreditNote(
  trx: Trx,
  { id, providerId }: { readonly id: string | null; readonly providerId: string },
): Promise<CreditNote | undefined> {
  return trx
    .selectFrom('creditNote')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', id ?? ''), eb('providerCreditNoteId', '=', providerId)]))
    .executeTakeFirst()
}

/** Newest first. */
export function listCreditNotes(
  db: Db,
  {
    invoice,
    limit,
    after,
  }: { readonly invoice: string; readonly limit: number; readonly after?: string | undefined },
): Promise<CreditNote[]> {
  let query = db
    .selectFrom('creditNote')
    .selectAll()
    .where('invoiceId', '=', invoice)
    .where('status', '!=', 'refused')
  if (after !== undefined) query = query.where('id', '<', after)
  return query.orderBy('id', 'desc').limit(limit).execute()
}

type Intended = Pick<
  NewRow<'creditNote'>,
  | 'id'
  | 'customerId'
  | 'invoiceId'
  | 'workflowId'
  | 'currency'
  | 'total'
  | 'prePayment'
  | 'refunded'
  | 'credited'
  | 'outOfBand'
  | 'reason'
>

/** Records that it is going to be made. */
export async function intendCreditNote(
  trx: Trx,
  { at, ...note }: Intended & { readonly at: Instant },
): Promise<void> {
  await trx
    .insertInto('creditNote')
    .values({
      ...note,
      status: 'making',
      number: null,
      pdf: null,
      providerCreditNoteId: null,
      createdAt: sqlTime(at),
    })
    .execute()
}

/** Nothing came of it. */
export async function refuseCreditNote(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('creditNote')
    .set({ status: 'refused' })
    .where('id', '=', id)
    .where('status', '=', 'making')
    .execute()
}

/** How a credit note stands at the provider. */
interface SeenCreditNote {
  readonly providerId: string
  readonly status: CreditNoteStatus
  readonly total: Money
  readonly prePayment: Money
  readonly refunded: Money
  readonly credited: Money
  readonly outOfBand: Money
  readonly reason: string | null
  readonly number: string
  readonly pdf: string
  /** The refunds that belong to it. */
  readonly refunds: readonly string[]
  readonly created: Instant
}

/** Writes down how it stands at the provider; refunds that were seen before it are linked to it. */
export async function writeCreditNote(
  trx: Trx,
  seen: SeenCreditNote,
  known: Pick<CreditNote, 'id' | 'customerId' | 'invoiceId' | 'workflowId'>,
): Promise<void> {
  const stands = {
    status: seen.status,
    total: seen.total.minor,
    prePayment: seen.prePayment.minor,
    refunded: seen.refunded.minor,
    credited: seen.credited.minor,
    outOfBand: seen.outOfBand.minor,
    number: seen.number,
    pdf: seen.pdf,
    providerCreditNoteId: seen.providerId,
    providerRefundIds: [...seen.refunds],
    createdAt: sqlTime(seen.created),
  }
  await trx
    .insertInto('creditNote')
    .values({ ...known, ...stands, currency: seen.total.currency, reason: seen.reason })
    .onConflict((on) => on.column('id').doUpdateSet(stands))
    .execute()
  if (seen.refunds.length === 0) return
  await trx
    .updateTable('refund')
    .set({ creditNoteId: known.id })
    .where('invoiceId', '=', known.invoiceId)
    .where('providerRefundId', 'in', [...seen.refunds])
    .execute()
}

/** The credit note of an invoice that a refund of the provider's belongs to. */
export async function creditNoteOfRefund(
  trx: Trx,
  invoiceId: string,
  providerRefund: string,
): Promise<string | null> {
  const notes = await trx
    .selectFrom('creditNote')
    .select(['id', 'providerRefundIds'])
    .where('invoiceId', '=', invoiceId)
    .execute()
  return notes.find(({ providerRefundIds }) => providerRefundIds.includes(providerRefund))?.id ?? null
}
