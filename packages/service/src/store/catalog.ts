import { createHash } from 'node:crypto'
import type { Catalog, Product } from '@lockstep/core/catalog'
import { type Feature, grantToJson } from '@lockstep/core/feature'
import type { Instant } from '@lockstep/core/instant'
import { type Meter, rulesOf } from '@lockstep/core/meter'
import { type Plan, planToJson } from '@lockstep/core/plan'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { readGrace } from './access.ts'
import { readNewestAddons } from './addons.ts'
import { readChangePolicy } from './change-policy.ts'
import { readCoupons } from './coupons.ts'
import { readFeatures } from './features.ts'
import { STRIPE } from './mappings.ts'
import { METER_COLUMNS, meterOf } from './meters.ts'
import { type PlanVersion, readNewestPlans } from './plans.ts'
import { priceRows } from './price-rows.ts'
import { readSeller } from './seller.ts'
import { readSignUp } from './sign-up.ts'
import { sqlTime } from './time.ts'

/** Whoever changes the catalogue does it alone, from comparing to writing. */
export async function lockCatalog(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('catalog'))`.execute(trx)
}

/** The catalogue as it stands: the newest version of each plan, nothing that is archived or came in from the provider. */
export async function readCatalog(db: Db | Trx): Promise<Catalog> {
  const products = await db
    .selectFrom('product')
    .select(['key', 'name', 'description', 'unitLabel', 'taxCode'])
    .where('archivedAt', 'is', null)
    .where('origin', '=', 'catalog')
    .orderBy('key')
    .execute()
  const meters = await db
    .selectFrom('meter')
    .select(METER_COLUMNS)
    .where('archivedAt', 'is', null)
    .orderBy('key')
    .execute()
  const features = await readFeatures(db, { archivedToo: false })
  const plans = (await readNewestPlans(db, { origin: 'catalog' })).map(({ plan }) => plan)
  return {
    seller: await readSeller(db),
    products,
    meters: meters.map(meterOf),
    features,
    coupons: await readCoupons(db),
    plans,
    addons: (await readNewestAddons(db, { origin: 'catalog' })).map(({ addon }) => addon),
    signUp: await readSignUp(db),
    planChanges: await readChangePolicy(db),
    grace: await readGrace(db),
  }
}

/** What the catalogue names is its own from then on, though it came in from the provider once. */
export async function claimForCatalog(
  trx: Trx,
  table: 'product' | 'plan' | 'addon' | 'coupon',
  keys: readonly string[],
): Promise<void> {
  await trx
    .updateTable(table)
    .set({ origin: 'catalog' })
    .where('origin', '=', 'provider')
    .where(sql<boolean>`key = any(${[...keys]}::text[])`)
    .execute()
}

/** Archives, or brings back, so that of what the catalogue names exactly these are for sale. Nothing is ever deleted. */
export async function keepOnly(
  trx: Trx,
  table: 'product' | 'meter' | 'feature' | 'coupon' | 'plan' | 'addon',
  keys: readonly string[],
  at: Instant,
): Promise<void> {
  const listed = sql<boolean>`key = any(${[...keys]}::text[])`
  await trx
    .updateTable(table)
    .set({ archivedAt: null })
    .where('archivedAt', 'is not', null)
    .where(listed)
    .execute()
  await trx
    .updateTable(table)
    .set({ archivedAt: sqlTime(at) })
    .where('archivedAt', 'is', null)
    .where(sql<boolean>`not ${listed}`)
    .where(hasOrigin.has(table) ? sql<boolean>`origin = 'catalog'` : sql<boolean>`true`)
    .execute()
}

/** What may have come in from the provider, and is not archived for being named nowhere. */
const hasOrigin: ReadonlySet<string> = new Set(['product', 'plan', 'addon', 'coupon'])

/** Writes what a product is. A change is a new revision, of which the provider has to be told. */
export async function writeProduct(trx: Trx, product: Product, at: Instant): Promise<void> {
  const { name, description, unitLabel, taxCode } = product
  await trx
    .insertInto('product')
    .values({ ...product, createdAt: sqlTime(at) })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ name, description, unitLabel, taxCode, revision: sql`product.revision + 1` })
        .where(
          sql<boolean>`(product.name, product.description, product.unit_label, product.tax_code)
            is distinct from (${name}, ${description}, ${unitLabel}, ${taxCode})`,
        ),
    )
    .execute()
}

export async function writeMeter(trx: Trx, meter: Meter, at: Instant): Promise<void> {
  const { key, name, unitLabel, aggregation } = meter
  await trx
    .insertInto('meter')
    .values({
      ...{ key, name, unitLabel, aggregation },
      rules: JSON.stringify(rulesOf(meter)),
      createdAt: sqlTime(at),
    })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ name, unitLabel }))
    .execute()
}

export async function writeFeature(trx: Trx, feature: Feature, at: Instant): Promise<void> {
  const { meter, name, unitLabel, ...rest } = feature
  await trx
    .insertInto('feature')
    .values({ ...rest, name, unitLabel, meterKey: meter, createdAt: sqlTime(at) })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ name, unitLabel }))
    .execute()
}

/** Plans first and by key only: one may roll into another that comes later. */
export async function writePlanKeys(trx: Trx, plans: readonly Plan[], at: Instant): Promise<void> {
  if (plans.length === 0) return
  await trx
    .insertInto('plan')
    .values(plans.map(({ key }) => ({ key, createdAt: sqlTime(at) })))
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}

/** Writes a plan as a new version, unless the newest one says the same. */
export async function writePlanVersion(
  trx: Trx,
  plan: Plan,
  newest: PlanVersion | undefined,
  at: Instant,
): Promise<void> {
  const contentHash = hashOf(plan)
  if (newest && hashOf(newest.plan).equals(contentHash)) return
  const id = newId('plan_version')
  const { key, product, prices, grants, ...terms } = plan
  await trx
    .insertInto('planVersion')
    .values({
      ...terms,
      id,
      planKey: key,
      productKey: product,
      version: (newest?.version ?? 0) + 1,
      contentHash,
      grants: JSON.stringify(grants.map(grantToJson)),
      createdAt: sqlTime(at),
    })
    .execute()
  if (prices.length === 0) return
  await trx
    .insertInto('price')
    .values(priceRows(prices, { planVersionId: id, addonVersionId: null }))
    .execute()
}

function hashOf(plan: Plan): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(planToJson(plan)))
    .digest()
}

/** Products for sale that the provider does not know as they are now. */
export async function unpublishedProducts(db: Db | Trx) {
  const rows = await db
    .selectFrom('product')
    .leftJoin('mapping', (join) =>
      join
        .onRef('mapping.entityId', '=', 'product.key')
        .on('mapping.entityType', '=', 'product')
        .on('mapping.provider', '=', STRIPE),
    )
    .select(['key', 'name', 'description', 'unitLabel', 'taxCode', 'revision', 'mapping.providerId'])
    .where('product.archivedAt', 'is', null)
    .where('product.origin', '=', 'catalog')
    .where((eb) =>
      eb.or([eb('publishedRevision', '<', eb.ref('revision')), eb('mapping.providerId', 'is', null)]),
    )
    .orderBy('key')
    .execute()
  return rows.map(({ revision, providerId, ...product }) => ({
    product,
    revision,
    providerId: providerId ?? undefined,
  }))
}

export async function markPublished(db: Db, key: string, revision: number): Promise<void> {
  await db
    .updateTable('product')
    .set({ publishedRevision: revision })
    .where('key', '=', key)
    .where('publishedRevision', '<', revision)
    .execute()
}
