import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'

/**
 * Of these discounts of the provider's this transaction alone decides who has them, until it ends. Whose they are so far stays;
 * what nobody holds is held for `invoiceId`.
 */
export async function lockDiscounts(trx: Trx, ids: readonly string[], invoiceId: string): Promise<void> {
  if (ids.length === 0) return
  await sql`
    insert into held_discount (provider, id, invoice_id)
    select 'stripe', id, ${invoiceId} from unnest(${[...ids]}::text[]) as id order by id
    on conflict (provider, id) do update set invoice_id = held_discount.invoice_id`.execute(trx)
}

/** Holds them for the invoice that is going to be made with them, whoever held them before. */
export async function holdDiscounts(trx: Trx, ids: readonly string[], invoiceId: string): Promise<void> {
  if (ids.length === 0) return
  await trx
    .updateTable('heldDiscount')
    .set({ invoiceId })
    .where('provider', '=', 'stripe')
    .where('id', 'in', ids)
    .execute()
}

/** The invoice was refused, so nothing was taken: whoever comes next may have them. */
export async function letGoOfDiscounts(db: Db, invoiceId: string): Promise<void> {
  await db.deleteFrom('heldDiscount').where('invoiceId', '=', invoiceId).execute()
}
