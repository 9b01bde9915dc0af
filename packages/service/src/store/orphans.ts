import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type OrphanRow = Row<'orphan'>
export type OrphanType = OrphanRow['providerType']

/** Of these nouns a row of ours is linked to the provider's object. */
const isMapped = (type: OrphanType): type is 'customer' | 'subscription' =>
  type === 'customer' || type === 'subscription'

/** What is known of an object by itself. */
interface Found {
  readonly id: string
  readonly operation: string | null
}

/** Of these objects, those that a row of ours points to: a mapping, or the call that made it. */
export async function linkedIds(
  db: Db,
  { account, livemode }: ProviderAccount,
  type: OrphanType,
  objects: readonly Found[],
): Promise<ReadonlySet<string>> {
  if (objects.length === 0) return new Set()
  const ids = objects.map(({ id }) => id)
  if (!isMapped(type)) {
    const made = await db
      .selectFrom('operation')
      .select('providerObjectId')
      .where(
        'id',
        'in',
        objects.map(({ operation }) => operation ?? ''),
      )
      .where('state', '=', 'succeeded')
      .where('providerObjectId', 'in', ids)
      .execute()
    return new Set(made.flatMap(({ providerObjectId }) => providerObjectId ?? []))
  }
  const rows = await db
    .selectFrom('mapping')
    .select('providerId')
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where('entityType', '=', type)
    .where('providerId', 'in', ids)
    .execute()
  return new Set(rows.map(({ providerId }) => providerId))
}

export interface Maker {
  readonly isKnown: boolean
  /** The provider's object that our row is linked to; null if to none. */
  readonly linkedTo: string | null
  /** The state of the workflow that made it; null: none did. */
  readonly workflow: Row<'workflow'>['state'] | null
}

/** What is known here of what an object was made for; `entityId` is what of ours it names. */
export async function makerOf(
  db: Db,
  type: OrphanType,
  entityId: string,
  operation: string | null,
): Promise<Maker> {
  const { rows } = await (isMapped(type)
    ? makerOfMapped(type, entityId)
    : makerOfCall(entityId, operation)
  ).execute(db)
  const [maker] = rows
  if (!maker) throw new Error(`Nothing can be said of ${entityId}.`)
  return maker
}

function makerOfMapped(type: 'customer' | 'subscription', entityId: string) {
  const isCustomer = type === 'customer'
  return sql<Maker>`
    select
      ${isCustomer ? sql`exists (select from customer where id = ${entityId})` : sql`exists (select from registration where subscription_id = ${entityId})`} as "isKnown",
      (select provider_id from mapping
        where entity_type = ${type} and entity_id = ${entityId} and provider = ${STRIPE}) as "linkedTo",
      (select w.state from registration r join workflow w on w.id = r.workflow_id
        where ${isCustomer ? sql`r.customer_id` : sql`r.subscription_id`} = ${entityId}
        order by (w.state in ('running', 'compensating')) desc, r.id desc limit 1) as workflow`
}

/** What no noun of ours stands for is known by its call, and by the workflow that made it. */
function makerOfCall(workflow: string, operation: string | null) {
  return sql<Maker>`
    select
      exists (select from workflow where id = ${workflow})
        and exists (select from operation where id = ${operation}) as "isKnown",
      (select provider_object_id from operation where id = ${operation} and state = 'succeeded') as "linkedTo",
      (select state from workflow where id = ${workflow}) as workflow`
}

/** Whose an object is: by what of ours it names, or by whom its customer at the provider stands for. */
export async function whoseOf(
  db: Db,
  { account, livemode }: ProviderAccount,
  entityId: string | null,
  providerCustomerId: string | null,
): Promise<Pick<Row<'customer'>, 'id' | 'externalId'> | undefined> {
  const { rows } = await sql<Pick<Row<'customer'>, 'id' | 'externalId'>>`
    select c.id, c.external_id as "externalId" from customer c
    where c.id = coalesce(
      (select id from customer where id = ${entityId}),
      (select customer_id from registration where subscription_id = ${entityId}),
      (select customer_id from registration where workflow_id = ${entityId}),
      (select entity_id from mapping
        where provider = ${STRIPE} and provider_account = ${account} and livemode = ${livemode}
          and entity_type = 'customer' and provider_id = ${providerCustomerId}))`.execute(db)
  return rows[0]
}

/** Remembers how an orphan was judged; the moment it was found stays. */
export async function saveOrphan(
  db: Db,
  { account, livemode }: ProviderAccount,
  orphan: Omit<OrphanRow, 'provider' | 'providerAccount' | 'livemode' | 'foundAt' | 'judgedAt' | 'madeAt'> & {
    readonly madeAt: Instant
  },
  at: Instant,
): Promise<void> {
  await db
    .insertInto('orphan')
    .values({
      provider: STRIPE,
      providerAccount: account,
      livemode,
      ...orphan,
      madeAt: sqlTime(orphan.madeAt),
      foundAt: sqlTime(at),
      judgedAt: sqlTime(at),
    })
    .onConflict((conflict) =>
      conflict
        .columns(['provider', 'providerAccount', 'livemode', 'providerType', 'providerId'])
        .doUpdateSet({
          ...{ state: orphan.state, reason: orphan.reason, judgedAt: sqlTime(at) },
          ...{ customerId: orphan.customerId, providerCustomerId: orphan.providerCustomerId },
          madeAt: sqlTime(orphan.madeAt),
        }),
    )
    .execute()
}

/** One that is known is none any more, or is over. What is not known stays so. */
export async function closeOrphan(
  db: Db,
  { account, livemode }: ProviderAccount,
  orphan: Pick<OrphanRow, 'providerType' | 'providerId' | 'reason'> & { readonly state: 'adopted' | 'left' },
  at: Instant,
): Promise<void> {
  const { providerType, providerId, state, reason } = orphan
  await db
    .updateTable('orphan')
    .set({ state, reason, judgedAt: sqlTime(at) })
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where('providerType', '=', providerType)
    .where('providerId', '=', providerId)
    .where('state', 'in', ['waiting', 'parked'])
    .execute()
}

/** Those that were left open: the next sweep looks at them again, however old they are. */
export async function openOrphans(db: Db, { account, livemode }: ProviderAccount): Promise<OrphanRow[]> {
  return db
    .selectFrom('orphan')
    .selectAll()
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where('state', 'in', ['waiting', 'parked'])
    .orderBy('foundAt')
    .orderBy('providerId')
    .execute()
}

export type ListedOrphan = OrphanRow & { readonly externalId: string | null }

export interface OrphanFilter {
  readonly state?: OrphanRow['state'] | undefined
  readonly limit: number
  /** Goes on after this one. */
  readonly after?: { readonly foundAt: Instant; readonly providerId: string } | undefined
}

/** Newest first. One more than `limit` tells that there is a next page. */
export async function listOrphans(db: Db, filter: OrphanFilter): Promise<ListedOrphan[]> {
  let query = db
    .selectFrom('orphan')
    .leftJoin('customer', 'customer.id', 'orphan.customerId')
    .selectAll('orphan')
    .select('customer.externalId')
    .where('provider', '=', STRIPE)
  if (filter.state !== undefined) query = query.where('state', '=', filter.state)
  if (filter.after !== undefined) {
    const { foundAt, providerId } = filter.after
    query = query.where(sql<boolean>`(found_at, provider_id) < (${sqlTime(foundAt)}, ${providerId})`)
  }
  return query
    .orderBy('foundAt', 'desc')
    .orderBy('providerId', 'desc')
    .limit(filter.limit + 1)
    .execute()
}

export async function sweptTo(db: Db): Promise<Instant | null> {
  const row = await db.selectFrom('installation').select('orphansSweptTo').executeTakeFirstOrThrow()
  return row.orphansSweptTo
}

export async function setSweptTo(db: Db, at: Instant): Promise<void> {
  await db
    .updateTable('installation')
    .set({ orphansSweptTo: sqlTime(at) })
    .execute()
}

export async function countParkedOrphans(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('orphan')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('state', '=', 'parked')
    .executeTakeFirstOrThrow()
  return Number(count)
}
