import type { Db } from '../../postgres/connect.ts'
import type { ProviderAccount } from '../../store/mappings.ts'

/** Who we are at the provider: the name that our objects carry, and the account their ids belong to. */
export interface Installation extends ProviderAccount {
  readonly instance: string
}

// Written once in the life of a database, and asked for with every object.
const known = new WeakMap<Db, Installation>()

export async function readInstallation(db: Db): Promise<Installation> {
  const before = known.get(db)
  if (before) return before
  const row = await db.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
  if (row.providerAccount === null || row.livemode === null) {
    throw new Error('No provider account was opened for this database yet.')
  }
  const installation = { instance: row.instance, account: row.providerAccount, livemode: row.livemode }
  known.set(db, installation)
  return installation
}
