import { type Addon, whyNotWith } from '../addon.ts'
import { intervals } from '../billing-cycle.ts'
import type { Feature, Grant } from '../feature.ts'
import type { Meter } from '../meter.ts'
import { audiences, type Plan } from '../plan.ts'
import { child } from '../pointer.ts'
import { isBilledByProvider, type Price } from '../price.ts'
import type { KnownCurrency } from './amounts.ts'
import { readGrants } from './read-feature.ts'
import { MAX_PROVIDER_PRICES, maxIntervalCount, readCurrency } from './read-plan.ts'
import { type PriceContext, readPrice } from './read-price.ts'
import { entries, type Reader } from './reader.ts'

export interface AddonContext {
  readonly products: ReadonlySet<string>
  readonly meters: ReadonlyMap<string, Meter>
  readonly features: ReadonlyMap<string, Feature>
  readonly plans: readonly Plan[]
  readonly currency: KnownCurrency
}

/** What a person wrote of an add-on, held against the plans that it is to go with. */
export function readAddon(reader: Reader, key: string, context: AddonContext): Addon {
  const name = reader.text('name')
  const product = reader.reference('product', 'product', context.products)
  const currency = reader.has('currency') ? readCurrency(reader) : context.currency
  const interval = reader.oneOf('interval', intervals)
  const bounds = { min: 1, max: maxIntervalCount[interval], otherwise: 1 }
  const { products, meters } = context
  const prices = readPrices(reader, { products, meters, plan: { name, product, currency } })
  const addon = {
    key,
    name,
    audience: reader.oneOf('audience', audiences, 'public'),
    product,
    currency: currency ?? '',
    interval,
    intervalCount: reader.integer('intervalCount', bounds),
    plans: reader.has('plans') ? readPlanKeys(reader, context.plans) : null,
    prices,
    grants: readGrants(reader, context.features, prices),
  }
  reader.end()
  if (currency !== undefined) refuseWhereItFitsNot(reader, addon, context.plans)
  refuseWhatIsBilled(reader, addon, context)
  return addon
}

/** Alphabetically, so that the order in which a person wrote them makes no new version. */
function readPlanKeys(reader: Reader, plans: readonly Plan[]): string[] {
  const written = reader.raw('plans')
  if (!Array.isArray(written) || written.length === 0) {
    reader.refuse('plans', 'invalid', 'This is a list of plans; without it, every plan that fits is meant.')
    return []
  }
  const known = new Set(plans.map(({ key }) => key))
  for (const [index, key] of written.entries()) {
    const refuse = (code: string, detail: string) =>
      reader.faults.push({ pointer: child(reader.pointer, 'plans', index), code, detail })
    if (!known.has(key)) refuse('unknown', `There is no plan ${key}.`)
    else if (written.indexOf(key) < index) refuse('duplicate', `${key} is named twice.`)
  }
  return [...new Set(written.filter((key): key is string => known.has(key)))].sort()
}

/** Each plan that is named has to fit; where none is named, at least one. */
function refuseWhereItFitsNot(reader: Reader, addon: Addon, plans: readonly Plan[]): void {
  if (addon.plans === null) {
    if (plans.some((plan) => !whyNotWith(addon, plan))) return
    const detail = 'It goes with no plan: none is in its currency and paid in its rhythm.'
    reader.refuse(null, 'fits_no_plan', detail)
    return
  }
  const written = reader.raw('plans') as unknown[]
  for (const key of addon.plans) {
    const plan = plans.find((known) => known.key === key)
    const why = plan && whyNotWith(addon, plan)
    if (!why) continue
    const pointer = child(reader.pointer, 'plans', written.indexOf(key))
    reader.faults.push({ pointer, code: why.code, detail: why.detail })
  }
}

/**
 * More of a metered feature cannot be had where a plan bills what is used beyond: its price would bill what
 * the add-on includes.
 */
function refuseWhatIsBilled(reader: Reader, addon: Addon, { plans }: AddonContext): void {
  const fitting = plans.filter((plan) => !whyNotWith(addon, plan))
  for (const grant of addon.grants) {
    const biller = fitting.find((plan) => plan.grants.some((other) => isBilled(other, grant)))
    if (!biller) continue
    const detail = `${biller.key} bills what is used of ${grant.feature} beyond: it would bill this too.`
    reader.faults.push({ pointer: child(reader.pointer, 'grants', grant.feature), code: 'billed', detail })
  }
}

function isBilled(other: Grant, { feature, kind }: Grant): boolean {
  return other.feature === feature && kind === 'metered' && other.kind === kind && other.beyond === 'billed'
}

function readPrices(reader: Reader, context: PriceContext): Price[] {
  const section = reader.object('prices')
  const prices = entries(reader, 'prices').map(([key, entry]) => readPrice(entry, key, context))
  if (section.names().length === 0)
    reader.refuse('prices', 'recurring_price_missing', 'An add-on has at least one price, which may be "0".')
  for (const price of prices) {
    if (isBilledByProvider(price)) continue
    // Usage is rated by one list of prices in each period: the plan's.
    section.refuse(price.key, 'not_recurring', 'The prices of an add-on are recurring, and in advance.')
  }
  if (prices.length > MAX_PROVIDER_PRICES)
    reader.refuse('prices', 'too_long', `An add-on has at most ${MAX_PROVIDER_PRICES} prices.`)
  return prices
}
