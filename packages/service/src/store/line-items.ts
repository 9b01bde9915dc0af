import type { Derivation } from '@lockstep/core/derivation'
import type { Db, Trx } from '../postgres/connect.ts'
import type { NewRow, Row } from './schema.ts'

export type LineItemRow = Omit<Row<'lineItem'>, 'derivation'> & { readonly derivation: Derivation | null }

/** Writes down the lines of a finalized invoice. They are never changed. */
export async function insertLineItems(trx: Trx, lines: readonly NewRow<'lineItem'>[]): Promise<void> {
  if (lines.length > 0)
    await trx
      .insertInto('lineItem')
      .values([...lines])
      .execute()
}

export async function lineItemsOf(db: Db | Trx, invoiceIds: readonly string[]): Promise<LineItemRow[]> {
  if (invoiceIds.length === 0) return []
  const rows = await db
    .selectFrom('lineItem')
    .selectAll()
    .where('invoiceId', 'in', invoiceIds)
    .orderBy('invoiceId')
    .orderBy('position')
    .execute()
  return rows as LineItemRow[]
}
