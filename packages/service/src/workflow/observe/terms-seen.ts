import { type AttachedAddon, byName } from '@lockstep/core/addon'
import { type FlatNumbers, flatNumbersOf, inAddon } from '@lockstep/core/flat-numbers'
import type { Plan } from '@lockstep/core/plan'
import { quantityOfItems } from '@lockstep/core/quantity-of-items'
import type { Db, Trx } from '../../postgres/connect.ts'
import { isOneOf } from '../../postgres/given.ts'
import { grouped } from '../../postgres/grouped.ts'
import { loadAttached } from '../../store/addons.ts'
import { type AddonOfItem, twinsOf } from '../../store/inbound-addons.ts'
import { type ProviderAccount, STRIPE } from '../../store/mappings.ts'
import { loadPlanVersion } from '../../store/plans.ts'
import { numbersByKey, type PlanOfItems, type PricedItem, planOfItems } from '../../store/plans-of-items.ts'
import { quantityOf } from '../../store/price-versions.ts'

/** What the items of a subscription stand for, whoever put them there. */
export interface TermsSeen {
  readonly planVersionId: string
  /** Of the plan's items that come by number; 1 where none does. What else somebody put there says nothing of it. */
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
  /** How often flat prices that are sold beside others stand there: the plan's and the add-ons'. */
  readonly flatNumbers: FlatNumbers
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
  const addons = all.length > 0 ? attached(all, items, (await loadPlanVersion(db, planVersionId)).plan) : []
  return {
    planVersionId,
    quantity: only?.quantity ?? quantityOfItems(others),
    addons: addons.map(({ isFlat: _isFlat, ...addon }) => addon),
    flatNumbers: { ...only?.flatNumbers, ...(await flatOfAddons(db, addons, all, items)) },
  }
}

/** Of the add-ons that have a flat price. */
async function flatOfAddons(
  db: Db | Trx,
  addons: readonly SeenAddon[],
  prices: readonly AddonOfItem[],
  items: readonly PricedItem[],
): Promise<FlatNumbers> {
  const loaded = await loadAttached(
    db,
    addons.filter(({ isFlat }) => isFlat),
  )
  const numbers = loaded.map(({ version: { addon, version } }) => {
    const its = prices.filter((one) => one.addonKey === addon.key && one.version === version)
    const keyOf = ({ price }: PricedItem) =>
      its.find(({ providerId }) => providerId === price)?.key ?? undefined
    return inAddon(addon.key, flatNumbersOf(addon.prices, numbersByKey(items, keyOf)))
  })
  return Object.assign({}, ...numbers)
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
  /** One of its prices is. */
  readonly isFlat: boolean
}

/** How many there are of each is said as of a plan: see {@link quantityOf}. */
function attached(prices: readonly AddonOfItem[], items: readonly PricedItem[], plan: Plan): SeenAddon[] {
  const sold = prices.filter(
    ({ interval, intervalCount }) => interval === plan.interval && intervalCount === plan.intervalCount,
  )
  const nameOf = ({ addonKey, version }: AddonOfItem) => `${addonKey} ${version}`
  const its = new Map(
    sold.map((one) => [
      one.providerId,
      { versionId: nameOf(one), isFlat: one.model === 'flat', key: one.key ?? '' },
    ]),
  )
  const found = new Map(
    sold.map((one) => {
      const { addonKey: addon, version } = one
      const quantity = quantityOf(items, its, nameOf(one)) ?? 1
      const isFlat = sold.some((other) => nameOf(other) === nameOf(one) && other.model === 'flat')
      return [nameOf(one), { addon, version, quantity, isFlat }]
    }),
  )
  return [...found.values()].sort(byName)
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
      .select(['price.key', 'price.model', 'addonVersion.addonKey', 'addonVersion.version'])
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
