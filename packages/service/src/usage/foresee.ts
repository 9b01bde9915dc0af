import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import type { Arrivals, Receipt } from './arrival.ts'
import { coalesce, receiptsOf } from './batch.ts'
import { type Hash, hashOf, hexOf } from './identity.ts'

/** What would become of a request as things stand. Takes nothing, waits for nobody. */
export async function foresee(db: Db, arrivals: Arrivals): Promise<Receipt> {
  const batch = coalesce([arrivals])
  const known = await bodiesOf(
    db,
    batch.firsts.map(({ identity }) => identity),
  )
  const fresh = new Set(batch.firsts.flatMap(({ identity }) => (known.has(identity) ? [] : [identity])))
  const conflicting = new Set(
    arrivals.flatMap(({ identity, bodyHash }) => {
      const body = known.get(identity)
      return body === undefined || body === bodyHash ? [] : [identity + bodyHash]
    }),
  )
  const [receipt] = receiptsOf(batch, { fresh, conflicting })
  if (!receipt) throw new Error('A request got no receipt.')
  return receipt
}

/** Of these identities, those that are known, each with the hash of its body. */
async function bodiesOf(db: Db, identities: readonly Hash[]): Promise<ReadonlyMap<Hash, Hash>> {
  const { rows } = await sql<{ key: string; bodyHash: string }>`
    select key::text, body_hash::text from usage_identity
    where key = any(${identities.map(hexOf)}::uuid[])`.execute(db)
  return new Map(rows.map(({ key, bodyHash }) => [hashOf(key), hashOf(bodyHash)]))
}
