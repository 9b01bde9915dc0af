import type { OwnedNoun } from '@lockstep/api/callers'
import type { Db } from '../postgres/connect.ts'

/** The customer whose it is; undefined when there is none of that id. */
export async function ownerOf(db: Db, noun: OwnedNoun, id: string): Promise<string | undefined> {
  if (noun === 'customer') return id
  const row = await db.selectFrom(noun).select('customerId').where('id', '=', id).executeTakeFirst()
  return row?.customerId
}
