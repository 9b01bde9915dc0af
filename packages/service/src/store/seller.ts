import type { Seller } from '@lockstep/core/seller'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { grouped } from '../postgres/grouped.ts'

const sellers = compiled((db) => db.selectFrom('seller').selectAll())

/** Who sells, if the catalogue names anybody. */
export function readSeller(db: Db | Trx): Promise<Seller | null> {
  return readOnce(db, undefined)
}

const readOnce = grouped(async (db, all: readonly undefined[]) => {
  const seller = await read(db)
  return all.map(() => seller)
})

async function read(db: Db | Trx): Promise<Seller | null> {
  const [row] = await sellers(db, {})
  if (!row) return null
  const { name, address, email, taxId, termsVersion, termsUrl } = row
  const terms = termsVersion === null ? null : { version: termsVersion, url: termsUrl }
  return { name, address, email, taxId, terms }
}

export async function writeSeller(trx: Trx, seller: Seller | null): Promise<void> {
  if (seller === null) {
    await trx.deleteFrom('seller').execute()
    return
  }
  const { terms, ...named } = seller
  const row = { ...named, termsVersion: terms?.version ?? null, termsUrl: terms?.url ?? null }
  await trx
    .insertInto('seller')
    .values(row)
    .onConflict((conflict) => conflict.column('onlyRow').doUpdateSet(row))
    .execute()
}
