import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder, patient } from '../postgres/grouped.ts'
import type { Row } from './schema.ts'

export type Mapping = Row<'mapping'>
export type EntityType = Mapping['entityType']

/** One account in one mode: ids of another are other ids. */
export interface ProviderAccount {
  readonly account: string
  readonly livemode: boolean
}

export const STRIPE = 'stripe'

/** Made at the provider, and called there: so it is called here as well. */
export const isTheirs = (origin: Mapping['origin']): boolean => origin === 'webhook' || origin === 'import'

export interface NewMapping {
  readonly entityType: EntityType
  readonly entityId: string
  readonly providerType: string
  readonly providerId: string
  readonly origin: Mapping['origin']
  readonly at: Instant
}

/**
 * Links an object of ours to the provider's. Linking the same two again changes nothing; linking to
 * another one is refused by returning what stands.
 */
export async function link(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  { at, ...mapping }: NewMapping,
): Promise<string> {
  if (await insertMapping(db, { ...mapping, account, livemode, at })) return mapping.providerId
  const linked = await providerIdOf(db, mapping.entityType, mapping.entityId)
  if (linked === undefined) {
    throw new Error(`${mapping.providerId} is another ${mapping.entityType}'s than ${mapping.entityId}'s.`)
  }
  return linked
}

/** False: ours is linked already, or the provider's is. The provider has a customer again whom it had no more. */
const insertMapping = grouped(async (db, mappings: readonly (NewMapping & ProviderAccount)[]) => {
  const { rows } = await sql<{ entityType: EntityType; entityId: string; providerId: string }>`
    with linked as (
      insert into mapping (entity_type, entity_id, provider, provider_account, livemode, provider_type, provider_id,
        origin, created_at)
      select "entityType", "entityId", ${STRIPE}, account, livemode, "providerType", "providerId", origin,
        to_timestamp(at)
      from jsonb_to_recordset(${JSON.stringify(mappings)}::jsonb) as mapping ("entityType" text, "entityId" text,
        account text, livemode boolean, "providerType" text, "providerId" text, origin text, at float8)
      on conflict do nothing
      returning entity_type, entity_id, provider_id
    ), back as (
      update customer set deleted_at_provider = null from linked
      where entity_type = 'customer' and id = entity_id and deleted_at_provider is not null
    )
    select * from linked`.execute(db)
  const inserted = new Set(rows.map((row) => `${row.entityType} ${row.entityId} ${row.providerId}`))
  return mappings.map((row) => inserted.has(`${row.entityType} ${row.entityId} ${row.providerId}`))
}, patient)

/** Gives an object of the provider's to another one of ours of the same kind, which was linked to none so far. */
export async function relink(
  trx: Trx,
  { account, livemode }: ProviderAccount,
  { entityType, entityId, providerType, providerId, origin, at }: NewMapping,
): Promise<void> {
  await unlink(trx, { account, livemode }, { entityType, providerId })
  await link(trx, { account, livemode }, { entityType, entityId, providerType, providerId, origin, at })
}

/** The provider's object is gone: ours is linked to none, and another may take its place. */
export async function unlink(
  trx: Trx,
  { account, livemode }: ProviderAccount,
  { entityType, providerId }: Pick<Mapping, 'entityType' | 'providerId'>,
): Promise<void> {
  await trx
    .deleteFrom('mapping')
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where('entityType', '=', entityType)
    .where('providerId', '=', providerId)
    .execute()
}

/** The provider's id of an object of ours. */
export async function providerIdOf(
  db: Db | Trx,
  entityType: EntityType,
  entityId: string,
): Promise<string | undefined> {
  return (await linksOf(db, { entityType, entityIds: [entityId] })).get(entityId)
}

interface Entities {
  readonly entityType: EntityType
  readonly entityIds: readonly string[]
}

interface Linked {
  readonly entityTypes: readonly EntityType[]
  readonly entityIds: readonly string[]
}

const idsAtProvider = compiled((db, { entityTypes, entityIds }: Linked) =>
  db
    .selectFrom('mapping')
    .select(['entityType', 'entityId', 'providerId'])
    .where(isOneOf('entity_type', entityTypes))
    .where(isOneOf('entity_id', entityIds))
    .where('provider', '=', STRIPE),
)

const linksOf = grouped(async (db, sets: readonly Entities[]): Promise<ReadonlyMap<string, string>[]> => {
  const entityTypes = [...new Set(sets.map(({ entityType }) => entityType))]
  const entityIds = [...new Set(sets.flatMap((set) => set.entityIds))]
  const rows = await idsAtProvider(db, { entityTypes, entityIds })
  const linked = new Map(
    rows.map((row) => [nameOf({ type: row.entityType, id: row.entityId }), row.providerId]),
  )
  return sets.map(({ entityType, entityIds }) => {
    const found = entityIds.map((id) => [id, linked.get(nameOf({ type: entityType, id }))] as const)
    return new Map(found.flatMap(([id, providerId]) => (providerId === undefined ? [] : [[id, providerId]])))
  })
})

/** What the provider calls those of these that it knows, by our ids. */
export async function providerIdsOf(
  db: Db | Trx,
  entityType: EntityType,
  entityIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return entityIds.length === 0 ? new Map() : linksOf(db, { entityType, entityIds })
}

/** Whether the provider knows each of these. */
export const areAllMapped = grouped(
  async (
    db,
    sets: readonly Readonly<Partial<Record<EntityType, readonly string[]>>>[],
  ): Promise<boolean[]> => {
    const entities = sets.map((ids) =>
      Object.entries(ids).flatMap(([type, some]) => some.map((id) => ({ type, id }))),
    )
    const wanted = [...new Map(entities.flat().map((entity) => [nameOf(entity), entity])).values()]
    const { rows } = await sql<{ type: string; id: string }>`
      select type, id
      from ${given(
        sql`unnest(${wanted.map(({ type }) => type)}::text[], ${wanted.map(({ id }) => id)}::text[])`,
        sql`wanted (type, id)`,
      )} as wanted
      where not exists (
        select from mapping m where m.entity_type = type and m.entity_id = id and m.provider = ${STRIPE})`.execute(
      db,
    )
    const missing = new Set(rows.map(nameOf))
    return entities.map((some) => some.every((entity) => !missing.has(nameOf(entity))))
  },
)

const nameOf = ({ type, id }: { readonly type: string; readonly id: string }) => `${type} ${id}`

interface ProviderObject extends ProviderAccount {
  readonly entityType: EntityType
  readonly providerId: string
}

const theirNameOf = ({ account, livemode, entityType, providerId }: ProviderObject) =>
  `${account} ${livemode} ${entityType} ${providerId}`

/** The links of objects of the provider's, each with how both came together. */
const linkOf = grouped(async (db, all: readonly ProviderObject[]) => {
  const rows = await db
    .selectFrom('mapping')
    .select(['entityId', 'origin', 'entityType', 'providerId', 'providerAccount as account', 'livemode'])
    .where('provider', '=', STRIPE)
    .where('providerAccount', 'in', [...new Set(all.map(({ account }) => account))])
    .where('livemode', 'in', [...new Set(all.map(({ livemode }) => livemode))])
    .where(isOneOf('provider_id', [...new Set(all.map(({ providerId }) => providerId))]))
    .execute()
  return inOrder(all.map(theirNameOf), rows, theirNameOf)
})

/** Our id of an object of the provider's. */
export async function entityIdOf(
  db: Db | Trx,
  account: ProviderAccount,
  entityType: EntityType,
  providerId: string,
): Promise<string | undefined> {
  return (await mappingOf(db, account, entityType, providerId))?.entityId
}

/** Of objects of the provider's, those that are linked to one of ours of this kind. */
export async function linkedOf(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  entityType: EntityType,
  providerIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('mapping')
    .select('providerId')
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where(isOneOf('provider_id', providerIds))
    .where('entityType', '=', entityType)
    .execute()
  return new Set(rows.map(({ providerId }) => providerId))
}

/** Of coupons of the provider's, the keys of those that are one here. */
export async function keysOfCoupons(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  providerIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (providerIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('mapping')
    .select(['providerId', 'entityId'])
    .where('entityType', '=', 'coupon')
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where(isOneOf('provider_id', providerIds))
    .execute()
  return new Map(rows.map(({ providerId, entityId }) => [providerId, entityId]))
}

/** The link of an object of ours. */
export function findMapping(
  db: Db | Trx,
  entityType: EntityType,
  entityId: string,
): Promise<Mapping | undefined> {
  return db
    .selectFrom('mapping')
    .selectAll()
    .where('provider', '=', STRIPE)
    .where('entityType', '=', entityType)
    .where('entityId', '=', entityId)
    .executeTakeFirst()
}

/** The links of objects of ours of one kind; an object has at most one. */
export async function mappingsOf(
  db: Db | Trx,
  entityType: EntityType,
  entityIds: readonly string[],
): Promise<Mapping[]> {
  if (entityIds.length === 0) return []
  return db
    .selectFrom('mapping')
    .selectAll()
    .where('provider', '=', STRIPE)
    .where('entityType', '=', entityType)
    .where(isOneOf('entity_id', entityIds))
    .execute()
}

/** Whoever links or unlinks an object of the provider's does it alone until the transaction ends. */
export async function lockLinks(trx: Trx, providerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LINKS}, hashtext(${providerId}))`.execute(trx)
}

/** The first key of our advisory locks for an object of the provider's that is being linked. */
const LINKS = 1_802

/** The link of an object of the provider's, with how both came together. */
export function mappingOf(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  entityType: EntityType,
  providerId: string,
): Promise<Pick<Mapping, 'entityId' | 'origin'> | undefined> {
  return linkOf(db, { account, livemode, entityType, providerId })
}

export interface MappingFilter {
  readonly entityType?: EntityType | undefined
  readonly entityId?: string | undefined
  readonly providerId?: string | undefined
  readonly limit: number
  /** Entity type and id of the last one before. */
  readonly after?: readonly [entityType: string, entityId: string] | undefined
}

/** By entity type and id. */
export function listMappings(db: Db, filter: MappingFilter): Promise<Mapping[]> {
  let query = db.selectFrom('mapping').selectAll().where('provider', '=', STRIPE)
  if (filter.entityType !== undefined) query = query.where('entityType', '=', filter.entityType)
  if (filter.entityId !== undefined) query = query.where('entityId', '=', filter.entityId)
  if (filter.providerId !== undefined) query = query.where('providerId', '=', filter.providerId)
  if (filter.after !== undefined) {
    const [type, id] = filter.after
    query = query.where((eb) =>
      eb(eb.refTuple('entityType', 'entityId'), '>', eb.tuple(type as EntityType, id)),
    )
  }
  return query.orderBy('entityType').orderBy('entityId').limit(filter.limit).execute()
}
