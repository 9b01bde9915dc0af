import { type AttachedAddon, byName } from '@lockstep/core/addon'
import { type ItemNumbers, inAddon } from '@lockstep/core/item-numbers'
import { quantityOfItems } from '@lockstep/core/quantity-of-items'
import type { Db, Trx } from '../../postgres/connect.ts'
import { isOneOf } from '../../postgres/given.ts'
import { grouped } from '../../postgres/grouped.ts'
import { loadAttached } from '../../store/addons.ts'
import { type AddonOfItem, twinsOf } from '../../store/inbound-addons.ts'
import { type ProviderAccount, STRIPE } from '../../store/mappings.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { countItems, type PlanOfItems, type PricedItem, planOfItems } from '../../store/plans-of-items.ts'

/** What the items of a subscription stand for, whoever put them there. */
export interface TermsSeen {
  readonly planVersionId: string
  /** Of the plan's items that come by number; 1 where none does. What else somebody put there says nothing of it. */
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
  /** Of the plan's prices and the add-ons'. */
  readonly itemNumbers: ItemNumbers
}

/**
 * The plan and the add-ons whose prices stand on a subscription. Where the prices are of no plan of ours, the plan is the
 * one that was known, and whatever is no add-on stands in its place. An item beside the plan of a product that was made
 * at the provider is that product's add-on twin. An add-on of another rhythm than the plan's is an item of
 * somebody else's: it has a period of its own, and no plan of ours is billed like that.
 */
export async function termsSeen(
  db: Db | Trx,
  account: ProviderAccount,
  items: readonly PricedItem[],
  knownVersionId: string,
): Promise<TermsSeen | undefined> {
  if (items.length === 0) return undefined
  const [ofAll, prices] = await Promise.all([
    planOfItems(db, account, items, knownVersionId),
    addonPrices(db, account, items),
  ])
  const isOfAddon = ({ price }: PricedItem) => prices.some(({ providerId }) => providerId === price)
  const others = items.filter((item) => !isOfAddon(item))
  // A product may be an add-on's and a plan's: what is an add-on's says nothing of the plan.
  const isMixed = prices.length > 0
  const only = isMixed ? await planOfItems(db, account, others, knownVersionId) : ofAll
  const planVersionId = only?.versionId ?? knownVersionId
  const beside = only ? others.filter(({ price }) => !only.prices.has(price)) : []
  const all = [...prices, ...(await twinsOf(db, account, beside))]
  const addons = all.length > 0 ? await attached(db, all, items, planVersionId) : []
  // Where nothing but add-ons stands there, nothing is paid for the plan.
  const isBare = only === undefined && others.length === 0
  const terms = isBare ? countItems((await loadPlanVersion(db, planVersionId)).plan.prices, []) : only
  return {
    planVersionId,
    quantity: terms?.quantity ?? quantityOfItems(others),
    addons: addons.map(({ addon, version, quantity }) => ({ addon, version, quantity })),
    itemNumbers: Object.assign({}, terms?.itemNumbers, ...addons.map(({ itemNumbers }) => itemNumbers)),
  }
}

/** The plan that items stand for, add-ons left out; undefined where they are of none of ours. */
export async function planSeen(
  db: Db | Trx,
  account: ProviderAccount,
  items: readonly PricedItem[],
  knownVersionId: string,
): Promise<PlanOfItems | undefined> {
  const prices = await addonPrices(db, account, items)
  const others = items.filter(({ price }) => !prices.some(({ providerId }) => providerId === price))
  return planOfItems(db, account, others, knownVersionId)
}

interface SeenAddon extends AttachedAddon {
  readonly itemNumbers: ItemNumbers
}

/** How many there are of each is said as of a plan. */
async function attached(
  db: Db | Trx,
  found: readonly AddonOfItem[],
  items: readonly PricedItem[],
  planVersionId: string,
): Promise<SeenAddon[]> {
  const { interval, intervalCount } = (await loadPlanVersion(db, planVersionId)).plan
  const sold = found.filter((one) => one.interval === interval && one.intervalCount === intervalCount)
  const nameOf = ({ addonKey, version }: Pick<AddonOfItem, 'addonKey' | 'version'>) =>
    `${addonKey} ${version}`
  const named = new Map(
    sold.map((one) => [nameOf(one), { addon: one.addonKey, version: one.version, quantity: 1 }]),
  )
  const loaded = await loadAttached(db, [...named.values()])
  const seen = loaded.map(({ version: { addon, version } }): SeenAddon => {
    const its = sold.filter((one) => one.addonKey === addon.key && one.version === version)
    const standing = items.flatMap(({ price, quantity }) => {
      const item = its.find(({ providerId }) => providerId === price)
      return item ? [{ key: item.key ?? '', quantity }] : []
    })
    const { quantity, itemNumbers } = countItems(addon.prices, standing)
    return { addon: addon.key, version, quantity, itemNumbers: inAddon(addon.key, itemNumbers) }
  })
  return seen.sort(byName)
}

/** Of these items, the prices that are an add-on's. */
export function addonPrices(
  db: Db | Trx,
  { account, livemode }: ProviderAccount,
  items: readonly { readonly price: string }[],
): Promise<AddonOfItem[]> {
  return addonsSoldAt(db, { account, livemode, prices: items.map(({ price }) => price) })
}

const addonsSoldAt = grouped(
  async (db, all: readonly (ProviderAccount & { readonly prices: readonly string[] })[]) => {
    const rows = await db
      .selectFrom('mapping')
      .innerJoin('price', 'price.id', 'mapping.entityId')
      .innerJoin('addonVersion', 'addonVersion.id', 'price.addonVersionId')
      .select(['mapping.providerId', 'mapping.providerAccount', 'mapping.livemode'])
      .select(['price.key', 'addonVersion.addonKey', 'addonVersion.version'])
      .select(['addonVersion.interval', 'addonVersion.intervalCount'])
      .where('mapping.entityType', '=', 'price')
      .where('mapping.provider', '=', STRIPE)
      .where('mapping.providerAccount', 'in', [...new Set(all.map(({ account }) => account))])
      .where('mapping.livemode', 'in', [...new Set(all.map(({ livemode }) => livemode))])
      .where(isOneOf('mapping.provider_id', [...new Set(all.flatMap(({ prices }) => prices))]))
      .execute()
    return all.map(({ account, livemode, prices }) =>
      rows.filter(
        (row) =>
          row.providerAccount === account && row.livemode === livemode && prices.includes(row.providerId),
      ),
    )
  },
)
