import type { Db } from '../postgres/connect.ts'
import { type Page, type PageQuery, pageOf } from './page.ts'
import type { NewRow, Row } from './schema.ts'

export function findApiKey(db: Db, keyHash: Buffer): Promise<Row<'apiKey'> | undefined> {
  return db.selectFrom('apiKey').selectAll().where('keyHash', '=', keyHash).executeTakeFirst()
}

export function readApiKey(db: Db, id: string): Promise<Row<'apiKey'> | undefined> {
  return db.selectFrom('apiKey').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Adds a key, or gives the one of this id another secret. */
export function addApiKey(db: Db, key: NewRow<'apiKey'>): Promise<Row<'apiKey'>> {
  const { prefix, keyHash } = key
  return db
    .insertInto('apiKey')
    .values(key)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ prefix, keyHash }))
    .returningAll()
    .executeTakeFirstOrThrow()
}

export function listApiKeys(db: Db, { limit, after }: PageQuery): Promise<Page<Row<'apiKey'>>> {
  return pageOf(limit, (fetched) =>
    db
      .selectFrom('apiKey')
      .selectAll()
      .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
      .orderBy('id', 'desc')
      .limit(fetched)
      .execute(),
  )
}

/** Revokes a key; undefined when there is none. A revoked one stays revoked since its first time. */
export function revokeApiKey(db: Db, id: string, revokedAt: Date): Promise<Row<'apiKey'> | undefined> {
  return db
    .updateTable('apiKey')
    .set(({ fn, val }) => ({ revokedAt: fn.coalesce('revokedAt', val(revokedAt)) as never }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}
