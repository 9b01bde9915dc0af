import type { Instant } from '@lockstep/core/instant'
import type { Plan } from '@lockstep/core/plan'
import type { PriceModel } from '@lockstep/core/price'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { writePlanVersion } from './catalog.ts'
import { removeTwin, wasAttached } from './inbound-addons.ts'
import { type ProviderAccount, STRIPE } from './mappings.ts'
import { readNewestPlan } from './plans.ts'
import { sqlTime } from './time.ts'

/** A product of the provider's, as it says it is. */
export interface InboundProduct {
  readonly name: string
  readonly description: string | null
  readonly unitLabel: string | null
}

/**
 * A plan without prices, features or even a rhythm: that comes with the first price of its product. `pricesUnread`: until
 * {@link markPricesRead} whoever meets it is to read them.
 */
export async function addInboundPlan(
  trx: Trx,
  key: string,
  product: InboundProduct,
  { pricesUnread, at }: { readonly pricesUnread: boolean; readonly at: Instant },
): Promise<void> {
  const createdAt = sqlTime(at)
  // The provider knows it: there is nothing to publish.
  const known = { key, origin: 'provider' as const, createdAt }
  await trx
    .insertInto('product')
    .values({ ...known, ...product, taxCode: null, revision: 1, publishedRevision: 1 })
    .execute()
  await trx
    .insertInto('plan')
    .values({ ...known, pricesUnread })
    .execute()
}

/** All prices of its product that stood at the provider since it was taken up were read. */
export async function markPricesRead(db: Db, key: string): Promise<void> {
  await db
    .updateTable('plan')
    .set({ pricesUnread: false })
    .where('key', '=', key)
    .where('pricesUnread', '=', true)
    .execute()
}

/** The provider's products that were taken up, are on sale, and whose prices were not read yet. */
export async function productsWithUnreadPrices(
  db: Db,
  { account, livemode }: ProviderAccount,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('plan')
    .innerJoin('mapping', (join) =>
      join.onRef('mapping.entityId', '=', 'plan.key').on('mapping.entityType', '=', 'plan'),
    )
    .select('mapping.providerId')
    .where('plan.pricesUnread', '=', true)
    .where('plan.archivedAt', 'is', null)
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .orderBy('plan.key')
    .limit(limit)
    .execute()
  return rows.map(({ providerId }) => providerId)
}

/** The product as the provider says it is now. One that the catalogue names is the catalogue's to change. */
export async function changeInboundProduct(trx: Trx, key: string, product: InboundProduct): Promise<void> {
  await trx
    .updateTable('product')
    .set(product)
    .where('key', '=', key)
    .where('origin', '=', 'provider')
    .execute()
}

/** Takes what the provider no longer sells off sale, or puts it back. */
export async function setInboundArchived(trx: Trx, key: string, archivedAt: Instant | null): Promise<void> {
  for (const table of ['product', 'plan', 'addon'] as const) {
    await trx
      .updateTable(table)
      .set({ archivedAt: archivedAt === null ? null : sqlTime(archivedAt) })
      .where('key', '=', key)
      .where('origin', '=', 'provider')
      .execute()
  }
}

/** Forgets a plan of which nothing was ever sold. False: something was, or the catalogue names it. */
export async function removeUnsold(trx: Trx, key: string): Promise<boolean> {
  const { rows } = await sql`
    select from plan p where p.key = ${key} and p.origin = 'provider'
      and not exists (select from plan_version v join registration r on r.plan_version_id = v.id where v.plan_key = p.key)
      and not exists (select from plan_version v join subscription s on s.plan_version_id = v.id where v.plan_key = p.key)
      and not exists (
        select from plan_version v join subscription_history h on h.plan_version_id = v.id where v.plan_key = p.key)
      and not exists (select from price r join plan_version v on v.id = r.plan_version_id
        where r.product_key = p.key and v.plan_key <> p.key)`.execute(trx)
  if (rows.length === 0 || (await wasAttached(trx, key))) return false
  await removeTwin(trx, key)
  await sql`
    delete from mapping m using price r join plan_version v on v.id = r.plan_version_id
    where v.plan_key = ${key} and m.entity_type = 'price' and m.entity_id = r.id`.execute(trx)
  await sql`delete from price r using plan_version v where v.id = r.plan_version_id and v.plan_key = ${key}`.execute(
    trx,
  )
  await trx.deleteFrom('planVersion').where('planKey', '=', key).execute()
  await trx
    .deleteFrom('mapping')
    .where('entityType', 'in', ['plan', 'product'])
    .where('entityId', '=', key)
    .execute()
  await trx.deleteFrom('plan').where('key', '=', key).execute()
  await trx.deleteFrom('product').where('key', '=', key).execute()
  return true
}

/** Writes a version of an inbound plan: empty, or with the one fee that the provider bills. Returns its price's id. */
export async function addInboundVersion(
  trx: Trx,
  {
    key,
    name,
    rhythm,
    model,
    at,
  }: {
    readonly key: string
    readonly name: string
    readonly rhythm: PriceRhythm
    readonly model: PriceModel | null
    readonly at: Instant
  },
): Promise<string | null> {
  const plan: Plan = {
    key,
    name,
    // Nobody may choose it before somebody here has said what it grants.
    audience: 'admin',
    product: key,
    ...rhythm,
    usageInterval: null,
    usageIntervalCount: null,
    trialDays: 0,
    trialUsage: 'free',
    rollsInto: null,
    purchase: 'membership',
    payments: null,
    prices:
      model === null
        ? []
        : [
            {
              ...{ key: 'fee', name, product: key, currency: rhythm.currency, meter: null },
              ...{ kind: 'recurring', timing: 'inAdvance' },
              ...model,
            },
          ],
    grants: [],
  }
  const newest = await readNewestPlan(trx, key)
  await writePlanVersion(trx, plan, newest, at)
  const written = await readNewestPlan(trx, key)
  return written?.priceIds.get('fee') ?? null
}

/** The plan that a product of the provider's is here. */
export async function planOfProduct(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  providerProduct: string,
) {
  return db
    .selectFrom('mapping')
    .innerJoin('plan', 'plan.key', 'mapping.entityId')
    .select(['plan.key', 'plan.origin', 'plan.pricesUnread'])
    .where('mapping.entityType', '=', 'plan')
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .where('mapping.providerId', '=', providerProduct)
    .executeTakeFirst()
}

/** Of products of the provider's that are linked here, whether a plan came in with each, and none of the catalogue's. */
export async function isEachInbound(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  providerProducts: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  const rows = await db
    .selectFrom('mapping')
    .leftJoin('plan', (join) =>
      join.onRef('plan.key', '=', 'mapping.entityId').on('mapping.entityType', '=', 'plan'),
    )
    .select(['mapping.providerId', 'plan.origin'])
    .where('mapping.entityType', 'in', ['plan', 'product'])
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .where(isOneOf('mapping.provider_id', providerProducts))
    .execute()
  const found = new Map<string, boolean>()
  for (const { providerId, origin } of rows)
    found.set(providerId, found.get(providerId) === true || origin === 'provider')
  return found
}

/** Whether a version of an inbound plan is another without any price, with the one that the provider bills. */
export async function isVersionFound(trx: Trx, before: string, after: string): Promise<boolean> {
  const { rows } = await sql`
    select from plan_version old join plan_version found on found.plan_key = old.plan_key
      join plan p on p.key = old.plan_key and p.origin = 'provider'
    where old.id = ${before} and found.id = ${after} and old.id <> found.id
      and not exists (select from price where plan_version_id = old.id)
      and exists (select from price where plan_version_id = found.id)`.execute(trx)
  return rows.length > 0
}

/** The newest version of a plan that is billed in this rhythm. */
export async function versionInRhythm(
  db: Db | Trx,
  planKey: string,
  { currency, interval, intervalCount }: PriceRhythm,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('planVersion')
    .select('id')
    .where('planKey', '=', planKey)
    .where('currency', '=', currency)
    .where('interval', '=', interval)
    .where('intervalCount', '=', intervalCount)
    .orderBy('version', 'desc')
    .executeTakeFirst()
  return row?.id
}
