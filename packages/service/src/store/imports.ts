import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { type EntityType, type ProviderAccount, STRIPE } from './mappings.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type ImportRun = Row<'importRun'> & Pick<Row<'workflow'>, 'problem' | 'state'>
export type ImportCursor = Row<'importCursor'>
export type ImportRefusal = Row<'importRefusal'>
export type ImportLeft = Row<'importLeft'>

export interface NewImport {
  readonly id: string
  readonly dryRun: boolean
  readonly workflowId: string
  readonly operation: string
  readonly at: Instant
}

/** False: one of this account is under way, or the same request made one before. */
export async function addImport(
  trx: Trx,
  { account, livemode }: ProviderAccount,
  { at, ...run }: NewImport,
): Promise<boolean> {
  const added = await trx
    .insertInto('importRun')
    .values({ ...run, provider: STRIPE, providerAccount: account, livemode, createdAt: sqlTime(at) })
    .onConflict((on) => on.doNothing())
    .returning('id')
    .executeTakeFirst()
  return added !== undefined
}

function imports(db: Db) {
  return db
    .selectFrom('importRun')
    .innerJoin('workflow', 'workflow.id', 'importRun.workflowId')
    .selectAll('importRun')
    .select(['workflow.problem', 'workflow.state'])
}

export function readImport(db: Db, id: string): Promise<ImportRun | undefined> {
  return imports(db).where('importRun.id', '=', id).executeTakeFirst()
}

export function importOfOperation(db: Db, operation: string): Promise<ImportRun | undefined> {
  return imports(db).where('importRun.operation', '=', operation).executeTakeFirst()
}

/** Newest first. One more than `limit` tells that there is a next page. */
export function listImports(
  db: Db,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): Promise<ImportRun[]> {
  let query = imports(db)
  if (after !== undefined) query = query.where('importRun.id', '<', after)
  return query.orderBy('importRun.id', 'desc').limit(limit).execute()
}

export function cursorsOf(db: Db, importId: string): Promise<ImportCursor[]> {
  return db
    .selectFrom('importCursor')
    .selectAll()
    .where('importId', '=', importId)
    .orderBy('startedAt')
    .orderBy('type')
    .execute()
}

export function refusalsOf(db: Db, importId: string, limit: number): Promise<ImportRefusal[]> {
  return db
    .selectFrom('importRefusal')
    .selectAll()
    .where('importId', '=', importId)
    .orderBy('type')
    .orderBy('providerId')
    .limit(limit)
    .execute()
}

export function leftOf(db: Db, importId: string, limit: number): Promise<ImportLeft[]> {
  return db
    .selectFrom('importLeft')
    .selectAll()
    .where('importId', '=', importId)
    .orderBy('type')
    .orderBy('providerId')
    .limit(limit)
    .execute()
}

/** Where a kind of object stands: begun now, or as a run before left it. */
export async function openCursor(db: Db, importId: string, type: string, at: Instant): Promise<ImportCursor> {
  await db
    .insertInto('importCursor')
    .values({ importId, type, startedAt: sqlTime(at) })
    .onConflict((on) => on.doNothing())
    .execute()
  return db
    .selectFrom('importCursor')
    .selectAll()
    .where('importId', '=', importId)
    .where('type', '=', type)
    .executeTakeFirstOrThrow()
}

export interface PageCounts {
  readonly looked: number
  readonly made: number
  readonly known: number
  readonly foreignObjects: number
  readonly refused: number
  /** They get no link, and nothing is wrong with them. */
  readonly leftAlone: number
  /** Of those that are taken up: they run, and the provider's own meters count something of theirs. */
  readonly metered: number
}

/** Behind a page: its counts, and where the next one begins. A page that is read again counts once. */
export async function advanceCursor(
  db: Db,
  { importId, type, lastId }: Pick<ImportCursor, 'importId' | 'type' | 'lastId'>,
  page: PageCounts & { readonly lastId: string | null; readonly endedAt: Instant | null },
): Promise<void> {
  await sql`
    update import_cursor set
      last_id = coalesce(${page.lastId}, last_id), looked = looked + ${page.looked}, made = made + ${page.made},
      known = known + ${page.known}, foreign_objects = foreign_objects + ${page.foreignObjects},
      refused = refused + ${page.refused}, left_alone = left_alone + ${page.leftAlone},
      metered = metered + ${page.metered},
      ended_at = ${page.endedAt === null ? null : sqlTime(page.endedAt)}
    where import_id = ${importId} and type = ${type} and last_id is not distinct from ${lastId}
      and ended_at is null`.execute(db)
}

const nothingLooked = {
  ...{ lastId: null, looked: 0, made: 0, known: 0 },
  ...{ foreignObjects: 0, refused: 0, leftAlone: 0, metered: 0 },
}

/** What the mark stood on is there no more: the list is read, and counted, from its beginning. */
export async function restartCursor(
  db: Db,
  { importId, type, lastId }: Pick<ImportCursor, 'importId' | 'type' | 'lastId'>,
): Promise<void> {
  await db
    .updateTable('importCursor')
    .set(nothingLooked)
    .where('importId', '=', importId)
    .where('type', '=', type)
    .where('lastId', '=', lastId)
    .where('endedAt', 'is', null)
    .execute()
}

/** Begins a kind anew, wherever a run before left it. */
export async function resetCursor(
  db: Db,
  { importId, type, at }: Pick<ImportCursor, 'importId' | 'type'> & { readonly at: Instant },
): Promise<void> {
  const anew = { ...nothingLooked, startedAt: sqlTime(at), endedAt: null }
  await db
    .insertInto('importCursor')
    .values({ importId, type, ...anew })
    .onConflict((on) => on.columns(['importId', 'type']).doUpdateSet(anew))
    .execute()
}

export async function recordRefusal(db: Db, refusal: ImportRefusal): Promise<void> {
  const { code, detail } = refusal
  await db
    .insertInto('importRefusal')
    .values(refusal)
    .onConflict((on) => on.columns(['importId', 'type', 'providerId']).doUpdateSet({ code, detail }))
    .execute()
}

export async function recordLeft(db: Db, left: readonly ImportLeft[]): Promise<void> {
  if (left.length === 0) return
  await db
    .insertInto('importLeft')
    .values([...left])
    .onConflict((on) => on.doNothing())
    .execute()
}

/** The first end stands. `proof`: null where nothing was to be proved, or it was refused before. */
export async function endImport(db: Db | Trx, id: string, proof: unknown, at: Instant): Promise<void> {
  await db
    .updateTable('importRun')
    .set({ proof: JSON.stringify(proof), endedAt: sqlTime(at) })
    .where('id', '=', id)
    .where('endedAt', 'is', null)
    .execute()
}

/** How many of each kind the last import of this account that came to its end had looked at. */
export async function lastTotals(
  db: Db,
  { account, livemode }: ProviderAccount,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ type: string; looked: number }>`
    select type, looked from import_cursor where import_id = (
      select r.id from import_run r join workflow w on w.id = r.workflow_id and w.state <> 'rolledBack'
      where provider = ${STRIPE} and provider_account = ${account} and livemode = ${livemode}
        and r.ended_at is not null
      order by r.ended_at desc limit 1)`.execute(db)
  return new Map(rows.map(({ type, looked }) => [type, looked]))
}

export interface StoredPicture {
  readonly id: string
  readonly raw: unknown
}

/** What was last seen of every object of a type that is linked to one of ours, by id, in pages; those behind `start`. */
export async function* linkedPictures(
  db: Db,
  { account, livemode }: ProviderAccount,
  type: 'customer' | 'subscription',
  start = '',
): AsyncGenerator<StoredPicture[]> {
  for (let after = start; ; ) {
    const { rows } = await sql<StoredPicture>`
      select o.id, o.raw from provider_object o
        join mapping m on m.provider = o.provider and m.provider_id = o.id and m.entity_type = o.type
          and m.provider_account = ${account} and m.livemode = ${livemode}
      where o.provider = ${STRIPE} and o.type = ${type} and not o.gone and o.id > ${after}
      order by o.id limit 100`.execute(db)
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    after = last.id
  }
}

export async function linkedCount(
  db: Db,
  { account, livemode }: ProviderAccount,
  type: EntityType,
): Promise<number> {
  const { count } = await db
    .selectFrom('mapping')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where('entityType', '=', type)
    .executeTakeFirstOrThrow()
  return Number(count)
}
