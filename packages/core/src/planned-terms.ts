import { type AttachedAddon, byName } from './addon.ts'

/** What a subscription runs on, its plan by the version. */
export interface TermsOfVersion {
  readonly planVersionId: string
  readonly quantity: number
  readonly addons: readonly AttachedAddon[]
}

export interface Planned {
  /** How it stood when this was decided. */
  readonly from: TermsOfVersion
  readonly to: TermsOfVersion
  /** The number of the plan is a part of what becomes another. */
  readonly isOfQuantity: boolean
}

/**
 * What a change that waits comes to, by how its subscription stands now: what it makes another is as it was planned, and what it
 * leaves alone is as it stands, whoever changed that since. `from` keeps what is made another by it, so that what comes of it does not
 * depend on what else was heard of in between. `keepsQuantity`: the number that stands means something for the plan that comes,
 * because both plans come by number. Where that plan stands already, it is its own number.
 */
export function plannedTerms(
  { from, to, isOfQuantity }: Planned,
  now: TermsOfVersion,
  { keepsQuantity }: { readonly keepsQuantity: boolean },
): Pick<Planned, 'from' | 'to'> {
  const isOfPlan = to.planVersionId !== from.planVersionId
  const isMade = now.planVersionId === to.planVersionId
  const isLeft = !isOfQuantity && (keepsQuantity || !isOfPlan || isMade)
  const isChanged = (one: AttachedAddon) => numberOf(from.addons, one) !== numberOf(to.addons, one)
  const left = now.addons.filter((one) => !isChanged(one))
  const of = (planned: TermsOfVersion): TermsOfVersion => ({
    planVersionId: isOfPlan ? planned.planVersionId : now.planVersionId,
    quantity: isLeft ? now.quantity : planned.quantity,
    addons: [...left, ...planned.addons.filter(isChanged)].sort(byName),
  })
  return { from: of(from), to: of(to) }
}

/** Undefined where there is none of it; versions count as different things. */
const numberOf = (all: readonly AttachedAddon[], { addon, version }: AttachedAddon) =>
  all.find((one) => one.addon === addon && one.version === version)?.quantity
