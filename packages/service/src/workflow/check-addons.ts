import { byName, whyNotWith } from '@lockstep/core/addon'
import type { Db } from '../postgres/connect.ts'
import { type AddonVersion, type Attached, addonsNamed, attachedOf } from '../store/addons.ts'
import { areAllMapped } from '../store/mappings.ts'
import type { PlanVersion } from '../store/plans.ts'
import { fault } from './coded-fault.ts'
import { providerPrices } from './provider-prices.ts'
import type { CodedFault } from './purchase/strategy.ts'

/** An add-on with its new number; 0 detaches it. */
export interface WantedAddon {
  readonly addon: string
  readonly quantity: number
}

interface ToAttach {
  /** What there is of add-ons already. */
  readonly attached: readonly Attached[]
  readonly wanted: readonly WantedAddon[]
  /** What they are to go with; undefined where there is no such plan, which is said elsewhere. */
  readonly plan: PlanVersion | undefined
  /** It is another plan than the attached ones went with. */
  readonly isOtherPlan: boolean
  /** May choose what is for the operator to give. */
  readonly isGiven: boolean
}

/**
 * What a subscription has of add-ons when a wish is carried out, and everything that is wrong with the wish, each
 * by its place in the request. One that is attached keeps its version, whatever its new number; a new one comes
 * in the newest.
 */
export async function wantedAddons(
  db: Db,
  toAttach: ToAttach,
): Promise<{ readonly addons: Attached[]; readonly faults: CodedFault[] }> {
  const { attached, wanted, plan, isOtherPlan } = toAttach
  if (attached.length === 0 && wanted.length === 0) return { addons: [], faults: [] }
  const isNamed = ({ version }: Attached) => wanted.some(({ addon }) => addon === version.addon.key)
  const kept = attached.filter((one) => !isNamed(one))
  const newest = await addonsNamed(
    db,
    wanted.filter(({ quantity }) => quantity > 0).map(({ addon }) => addon),
  )
  const added: Attached[] = []
  const faults: CodedFault[] = []
  for (const [index, { addon: key, quantity }] of wanted.entries()) {
    if (quantity === 0) continue
    const pointer = `#/addons/${index}`
    const standing = attached.find(({ version }) => version.addon.key === key)?.version
    const version = standing ?? newest.get(key)
    if (!version || (!standing && newest.get(key)?.isArchived)) {
      faults.push(fault('addon_unknown', `${pointer}/addon`, `There is no add-on ${key}.`))
      continue
    }
    const wrong = [
      ...(standing ? [] : await newFaults(db, version, toAttach, pointer)),
      ...(standing && !isOtherPlan ? [] : fitFaults(version, plan, pointer)),
      ...numberFaults(version, quantity, pointer),
    ]
    faults.push(...wrong)
    // What is wrong is not added up with the rest: it may be in another currency.
    if (wrong.length === 0) added.push({ version, quantity })
  }
  if (isOtherPlan && plan) faults.push(...kept.flatMap((one) => keptFaults(one, plan)))
  const addons = [...kept, ...added].sort((a, b) => byName(attachedOf(a), attachedOf(b)))
  return { addons, faults: [...faults, ...roomFaults(addons, plan)] }
}

async function newFaults(
  db: Db,
  version: AddonVersion,
  { isGiven }: ToAttach,
  pointer: string,
): Promise<CodedFault[]> {
  const { key, audience, product, prices } = version.addon
  const faults: CodedFault[] = []
  if (audience === 'legacy')
    faults.push(fault('addon_not_allowed', pointer, `The add-on ${key} is no longer sold.`))
  if (audience === 'admin' && !isGiven)
    faults.push(fault('addon_not_allowed', pointer, `The add-on ${key} is given by the operator only.`))
  const products = new Set([product, ...prices.map((price) => price.product)])
  const price = providerPrices(version).map(({ id }) => id)
  if (!(await areAllMapped(db, { product: [...products], price }))) {
    const detail = `The add-on ${key} is not yet known to the provider: apply the catalogue.`
    faults.push(fault('addon_not_published', pointer, detail))
  }
  return faults
}

/** Whoever has it may keep it as it was agreed: it is asked of what is new, and of another plan. */
function fitFaults({ addon }: AddonVersion, version: PlanVersion | undefined, pointer: string): CodedFault[] {
  const why = version && whyNotWith(addon, version.plan)
  return why ? [fault('addon_mismatch', pointer, `The add-on ${addon.key}: ${why.detail}`)] : []
}

/** Nothing that a customer has goes away unnamed: what does not fit the new plan is to be detached with it. */
function keptFaults({ version: { addon } }: Attached, { plan }: PlanVersion): CodedFault[] {
  const why = whyNotWith(addon, plan)
  if (!why) return []
  const detail = `The add-on ${addon.key} is attached. ${why.detail} Detach it in the same request.`
  return [fault('addon_mismatch', '#/plan', detail)]
}

function numberFaults(version: AddonVersion, quantity: number, pointer: string): CodedFault[] {
  if (quantity === 1 || providerPrices(version).some(({ price }) => price.model !== 'flat')) return []
  const detail = `The add-on ${version.addon.key} has no price by number.`
  return [fault('quantity_invalid', `${pointer}/quantity`, detail)]
}

/** https://docs.stripe.com/billing/subscriptions/multiple-products: "up to 20 products" on a subscription. */
const MOST_ITEMS = 20

function roomFaults(addons: readonly Attached[], plan: PlanVersion | undefined): CodedFault[] {
  const versions = [...(plan ? [plan] : []), ...addons.map(({ version }) => version)]
  const items = versions.flatMap(providerPrices).length
  if (items <= MOST_ITEMS) return []
  const detail = `A subscription has at most ${MOST_ITEMS} recurring prices; these are ${items}.`
  return [fault('addon_mismatch', '#/addons', detail)]
}
