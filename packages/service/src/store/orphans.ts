import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import type { Db } from '../postgres/connect.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type OrphanRow = Row<'orphan'>

/** Of these objects, those that a row of ours points to. */
export async function linkedIds(
  db: Db,
  { account, livemode }: ProviderAccount,
  entityType: 'customer' | 'subscription',
  providerIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (providerIds.length === 0) return new Set()
  const rows = await db
    .selectFrom('mapping')
    .select('providerId')
    .where('provider', '=', STRIPE)
    .where('providerAccount', '=', account)
    .where('livemode', '=', livemode)
    .where('entityType', '=', entityType)
    .where('providerId', 'in', [...providerIds])
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

/** What is known here of what an object was made for. */
export async function makerOf(
  db: Db,
  entityType: 'customer' | 'subscription',
  entityId: string,
): Promise<Maker> {
  const { rows } = await sql<Maker>`
    select
      ${entityType === 'customer' ? sql`exists (select from customer where id = ${entityId})` : sql`exists (select from registration where subscription_id = ${entityId})`} as "isKnown",
      (select provider_id from mapping
        where entity_type = ${entityType} and entity_id = ${entityId} and provider = ${STRIPE}) as "linkedTo",
      (select w.state from registration r join workflow w on w.id = r.workflow_id
        where ${entityType === 'customer' ? sql`r.customer_id` : sql`r.subscription_id`} = ${entityId}
        order by (w.state in ('running', 'compensating')) desc, r.id desc limit 1) as workflow`.execute(db)
  const [maker] = rows
  if (!maker) throw new Error(`Nothing can be said of ${entityId}.`)
  return maker
}

/** Remembers how an orphan was judged; the moment it was found stays. */
export async function saveOrphan(
  db: Db,
  { account, livemode }: ProviderAccount,
  orphan: Pick<OrphanRow, 'providerType' | 'providerId' | 'operationId' | 'state' | 'reason'>,
  at: Instant,
): Promise<void> {
  await db
    .insertInto('orphan')
    .values({
      provider: STRIPE,
      providerAccount: account,
      livemode,
      ...orphan,
      foundAt: sqlTime(at),
      judgedAt: sqlTime(at),
    })
    .onConflict((conflict) =>
      conflict
        .columns(['provider', 'providerAccount', 'livemode', 'providerType', 'providerId'])
        .doUpdateSet({ state: orphan.state, reason: orphan.reason, judgedAt: sqlTime(at) }),
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

export interface OrphanFilter {
  readonly state?: OrphanRow['state'] | undefined
  readonly limit: number
  /** Goes on after this one. */
  readonly after?: { readonly foundAt: Instant; readonly providerId: string } | undefined
}

/** Newest first. One more than `limit` tells that there is a next page. */
export async function listOrphans(db: Db, filter: OrphanFilter): Promise<OrphanRow[]> {
  let query = db.selectFrom('orphan').selectAll().where('provider', '=', STRIPE)
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
