import type { Addon } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import type { PriceModel } from '@lockstep/core/price'
import type { PriceRhythm } from '@lockstep/core/price-rhythm'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { addonsNamed, writeAddons } from './addons.ts'
import { entityIdOf, type ProviderAccount, STRIPE } from './mappings.ts'
import type { PricedItem } from './plans-of-items.ts'
import { sqlTime } from './time.ts'

/** The add-on twin of an inbound plan, under the same key: empty until its product has a price. */
export async function addInboundAddon(trx: Trx, key: string, at: Instant): Promise<void> {
  await trx
    .insertInto('addon')
    .values({ key, origin: 'provider', createdAt: sqlTime(at) })
    .execute()
}

/** Whether the plan that a product is here has a twin that is linked to it too, and that the catalogue has not made its own. */
export async function hasTwin(
  trx: Trx,
  account: ProviderAccount,
  { key, product }: { readonly key: string; readonly product: string },
): Promise<boolean> {
  const row = await trx
    .selectFrom('addon')
    .select('key')
    .where('key', '=', key)
    .where('origin', '=', 'provider')
    .executeTakeFirst()
  return row !== undefined && (await entityIdOf(trx, account, 'addon', product)) === key
}

/** Writes a version of a twin: empty, or with the one fee that the provider bills. Returns its price's id. */
export async function addTwinVersion(
  trx: Trx,
  { key, name, rhythm, model, at }: TwinVersion,
): Promise<string | null> {
  const fee = { key: 'fee', name, product: key, currency: rhythm.currency, meter: null } as const
  const addon: Addon = {
    ...{ key, name, product: key, ...rhythm },
    // Nobody may attach it here before somebody has said what it grants.
    audience: 'admin',
    plans: null,
    prices: model === null ? [] : [{ ...fee, kind: 'recurring', timing: 'inAdvance', ...model }],
    grants: [],
  }
  await writeAddons(trx, [addon], at)
  return (await addonsNamed(trx, [key])).get(key)?.priceIds.get('fee') ?? null
}

interface TwinVersion {
  readonly key: string
  readonly name: string
  readonly rhythm: PriceRhythm
  readonly model: PriceModel | null
  readonly at: Instant
}

/** A version of an add-on that an item of a subscription stands for. */
export interface AddonOfItem {
  /** The provider's price. */
  readonly providerId: string
  readonly addonKey: string
  readonly version: number
  readonly interval: string
  readonly intervalCount: number
  /** Of our price; null of one that has none here. */
  readonly key: string | null
}

/**
 * The add-on twins that items of a subscription are, beside its plan: by the item's price, and where prices are not
 * read, by its product and rhythm, if that version has no fee here.
 */
export async function twinsOf(
  db: Db | Trx,
  account: ProviderAccount,
  items: readonly PricedItem[],
): Promise<AddonOfItem[]> {
  if (items.length === 0) return []
  const byPrice = await twinsByPrice(
    db,
    account,
    items.map(({ price }) => price),
  )
  const found = new Set(byPrice.map(({ providerId }) => providerId))
  const byProduct: AddonOfItem[] = []
  for (const item of items) {
    const twin = found.has(item.price) ? undefined : await twinWithoutFee(db, account, item)
    if (twin) byProduct.push({ ...twin, providerId: item.price, key: null })
  }
  return [...byPrice, ...byProduct]
}

function twinsByPrice(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  prices: readonly string[],
): Promise<AddonOfItem[]> {
  return db
    .selectFrom('mapping')
    .innerJoin('price', 'price.id', 'mapping.entityId')
    .innerJoin('addonVersion', 'addonVersion.id', 'price.addonVersionId')
    .select(['mapping.providerId', 'price.key', 'addonVersion.addonKey', 'addonVersion.version'])
    .select(['addonVersion.interval', 'addonVersion.intervalCount'])
    .where('mapping.entityType', '=', 'addon_price')
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .where(isOneOf('mapping.provider_id', prices))
    .execute()
}

function twinWithoutFee(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  { product, rhythm: { currency, interval, intervalCount } }: PricedItem,
): Promise<Omit<AddonOfItem, 'providerId' | 'key'> | undefined> {
  return db
    .selectFrom('mapping')
    .innerJoin('addonVersion', 'addonVersion.addonKey', 'mapping.entityId')
    .select(['addonVersion.addonKey', 'addonVersion.version'])
    .select(['addonVersion.interval', 'addonVersion.intervalCount'])
    .where('mapping.entityType', '=', 'addon')
    .where('mapping.provider', '=', STRIPE)
    .where('mapping.providerAccount', '=', account)
    .where('mapping.livemode', '=', livemode)
    .where('mapping.providerId', '=', product)
    .where('addonVersion.currency', '=', currency)
    .where('addonVersion.interval', '=', interval)
    .where('addonVersion.intervalCount', '=', intervalCount)
    .where(sql<boolean>`not exists (select from price where price.addon_version_id = addon_version.id)`)
    .orderBy('addonVersion.version', 'desc')
    .executeTakeFirst()
}

/** Whether a twin was ever on a subscription. */
export async function wasAttached(trx: Trx, key: string): Promise<boolean> {
  const named = JSON.stringify([{ addon: key }])
  const { rows } = await sql`
    select where exists (select from subscription where addons @> ${named}::jsonb)
       or exists (select from subscription_history where addons @> ${named}::jsonb)`.execute(trx)
  return rows.length > 0
}

/** Forgets a twin that was never on a subscription. */
export async function removeTwin(trx: Trx, key: string): Promise<void> {
  await sql`
    delete from mapping m using price r join addon_version v on v.id = r.addon_version_id
    where v.addon_key = ${key} and m.entity_type = 'addon_price' and m.entity_id = r.id`.execute(trx)
  await sql`delete from price r using addon_version v where v.id = r.addon_version_id and v.addon_key = ${key}`.execute(
    trx,
  )
  await trx.deleteFrom('addonVersion').where('addonKey', '=', key).execute()
  await trx.deleteFrom('mapping').where('entityType', '=', 'addon').where('entityId', '=', key).execute()
  await trx.deleteFrom('addon').where('key', '=', key).where('origin', '=', 'provider').execute()
}
