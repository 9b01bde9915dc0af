import { createHash } from 'node:crypto'
import {
  type Addon,
  type AttachedAddon,
  addonFromJson,
  addonToJson,
  type SoldAddon,
} from '@lockstep/core/addon'
import { grantToJson } from '@lockstep/core/feature'
import type { Instant } from '@lockstep/core/instant'
import type { Audience, Plan } from '@lockstep/core/plan'
import type { PriceJson } from '@lockstep/core/price'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { priceRows } from './price-rows.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** An add-on as it was at one time, for ever. */
export interface AddonVersion {
  readonly id: string
  readonly version: number
  readonly addon: Addon
  /** The id of each price, by its key. */
  readonly priceIds: ReadonlyMap<string, string>
  readonly createdAt: Instant
}

export interface AddonFilter {
  /** Those that go with this plan. */
  readonly plan?: Pick<Plan, 'key' | 'currency' | 'interval' | 'intervalCount'> | undefined
  readonly audience?: Audience | undefined
  readonly product?: string | undefined
  readonly archivedToo?: boolean
  readonly origin?: 'catalog' | undefined
  readonly limit?: number
  readonly after?: string | undefined
}

function newestAddons(db: Db | Trx) {
  return db
    .selectFrom('addonVersion')
    .innerJoin('addon', 'addon.key', 'addonVersion.addonKey')
    .distinctOn('addonVersion.addonKey')
    .selectAll('addonVersion')
    .select('addon.archivedAt')
    .orderBy('addonVersion.addonKey')
    .orderBy('addonVersion.version', 'desc')
}

/** The newest version of each add-on that is not archived, by key. */
export async function readNewestAddons(db: Db | Trx, filter: AddonFilter = {}): Promise<AddonVersion[]> {
  const { plan, audience, product, archivedToo, origin, limit, after } = filter
  let query = newestAddons(db)
  if (!archivedToo) query = query.where('addon.archivedAt', 'is', null)
  if (origin !== undefined) query = query.where('addon.origin', '=', origin)
  if (after !== undefined) query = query.where('addonVersion.addonKey', '>', after)
  // All this is said by the newest version, so it is asked after choosing that.
  let newest = db.selectFrom(query.as('newest')).selectAll().orderBy('addonKey')
  if (audience !== undefined) newest = newest.where('audience', '=', audience)
  if (product !== undefined) newest = newest.where('productKey', '=', product)
  if (plan !== undefined)
    newest = newest
      .where('currency', '=', plan.currency)
      .where('interval', '=', plan.interval)
      .where('intervalCount', '=', plan.intervalCount)
      .where(sql<boolean>`(plans is null or plans ? ${plan.key})`)
  if (limit !== undefined) newest = newest.limit(limit)
  return withPrices(db, await newest.execute())
}

/** The newest version of each of these add-ons, archived or not, by key. */
export async function addonsNamed(
  db: Db | Trx,
  keys: readonly string[],
): Promise<ReadonlyMap<string, AddonVersion & { readonly isArchived: boolean }>> {
  if (keys.length === 0) return new Map()
  const rows = await newestAddons(db).where('addonVersion.addonKey', 'in', keys).execute()
  const versions = await withPrices(db, rows)
  return new Map(
    versions.map((version, i) => [
      version.addon.key,
      { ...version, isArchived: (rows[i]?.archivedAt ?? null) !== null },
    ]),
  )
}

/** A number of pieces of a version, as a subscription has it. */
export interface Attached {
  readonly version: AddonVersion
  readonly quantity: number
}

/** What is written down of it. */
export const attachedOf = ({ version: { addon, version }, quantity }: Attached): AttachedAddon => ({
  ...{ addon: addon.key, version, quantity },
})

export const soldOf = ({ version: { addon }, quantity }: Attached): SoldAddon => ({ addon, quantity })

/** What an agreement is made of. */
export const agreedOf = ({ version: { id: versionId, addon, version }, quantity }: Attached) => ({
  ...{ addon, version, versionId, quantity },
})

/** What a row says of add-ons, with their terms and in the same order. */
export async function loadAttached(db: Db | Trx, attached: readonly AttachedAddon[]): Promise<Attached[]> {
  if (attached.length === 0) return []
  const keys = attached.map(({ addon }) => addon)
  const rows = await db.selectFrom('addonVersion').selectAll().where('addonKey', 'in', keys).execute()
  const versions = await withPrices(db, rows)
  return attached.map(({ addon: key, version, quantity }) => {
    const found = versions.find((one) => one.addon.key === key && one.version === version)
    if (!found) throw new Error(`There is no version ${version} of the add-on ${key}.`)
    return { version: found, quantity }
  })
}

async function withPrices(db: Db | Trx, rows: readonly Row<'addonVersion'>[]): Promise<AddonVersion[]> {
  if (rows.length === 0) return []
  const prices = await db
    .selectFrom('price')
    .select(['id', 'addonVersionId', 'key', 'definition'])
    .where(
      'addonVersionId',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('position')
    .execute()
  return rows.map((row) => {
    const own = prices.filter(({ addonVersionId }) => addonVersionId === row.id)
    return {
      id: row.id,
      version: row.version,
      createdAt: row.createdAt,
      addon: addonFromJson({
        ...row,
        key: row.addonKey,
        product: row.productKey,
        prices: own.map(({ definition }) => definition as PriceJson),
      }),
      priceIds: new Map(own.map(({ key, id }) => [key, id])),
    }
  })
}

/** Writes add-ons, each as a new version unless the newest one says the same. */
export async function writeAddons(trx: Trx, addons: readonly Addon[], at: Instant): Promise<void> {
  if (addons.length === 0) return
  await trx
    .insertInto('addon')
    .values(addons.map(({ key }) => ({ key, createdAt: sqlTime(at) })))
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  const newest = await addonsNamed(
    trx,
    addons.map(({ key }) => key),
  )
  for (const addon of addons) await writeVersion(trx, addon, newest.get(addon.key), at)
}

async function writeVersion(
  trx: Trx,
  addon: Addon,
  newest: AddonVersion | undefined,
  at: Instant,
): Promise<void> {
  const contentHash = hashOf(addon)
  if (newest && hashOf(newest.addon).equals(contentHash)) return
  const id = newId('addon_version')
  const { key, product, plans, prices, grants, ...terms } = addon
  await trx
    .insertInto('addonVersion')
    .values({
      ...terms,
      ...{ id, addonKey: key, productKey: product, contentHash },
      version: (newest?.version ?? 0) + 1,
      plans: plans && JSON.stringify(plans),
      grants: JSON.stringify(grants.map(grantToJson)),
      createdAt: sqlTime(at),
    })
    .execute()
  // Of one that came in from the provider, what it costs may be known there alone.
  if (prices.length === 0) return
  await trx
    .insertInto('price')
    .values(priceRows(prices, { planVersionId: null, addonVersionId: id }))
    .execute()
}

function hashOf(addon: Addon): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(addonToJson(addon)))
    .digest()
}
