/** What of ours is held against what of the provider's. */
export type DriftEntity = (typeof driftEntities)[number]

export const driftEntities = [
  ...(['product', 'price', 'customer', 'subscription', 'plannedChange', 'invoice'] as const),
  ...(['invoiceItem', 'dispute', 'history', 'usage'] as const),
] as const

/** `missingThere`: linked here, and the provider has it not. `missingHere`: it has one, and we have no row. */
export type DriftKind = 'differs' | 'missingThere' | 'missingHere'

/** A value as it is compared and shown: amounts in minor units, instants in RFC 3339. */
export type DriftValue = string | number | boolean | null

export interface FieldDifference {
  readonly field: string
  readonly here: DriftValue
  readonly there: DriftValue
}

/** Of the fields that both sides name, those that differ, in their order here. */
export function fieldDifferences(
  here: Readonly<Record<string, DriftValue>>,
  there: Readonly<Record<string, DriftValue>>,
): FieldDifference[] {
  return Object.entries(here).flatMap(([field, value]) => {
    const other = there[field]
    return other === undefined || other === value ? [] : [{ field, here: value, there: other }]
  })
}

/** Whether what was seen of an object before says of these fields what is there now. */
export function saysTheSame(
  seen: Readonly<Record<string, DriftValue>>,
  differences: readonly FieldDifference[],
): boolean {
  return differences.every(({ field, there }) => seen[field] === there)
}

/**
 * `look`: take over what the provider says, as any event would. `tell`: tell the provider what stands here.
 * `sync`: send the invoice's lines again. `link`: link our row to the object that names it. None of them charges
 * anybody or changes what is owed for a period that is billed.
 */
export type DriftRepair = 'look' | 'tell' | 'sync' | 'link'

export type DriftCause =
  /** It changed there, and nothing told us. */
  | 'missed'
  /** We saw it as it is there, and our row says otherwise: it was written by other hands. */
  | 'changedHere'
  /** What we told the provider was changed there. */
  | 'changedThere'
  /** It differs, and nothing tells on which side it was changed. */
  | 'unknownSide'
  /** Our row lost its link, or never got it. */
  | 'unlinked'
  /** It is gone at the provider. */
  | 'gone'
  /** Nothing here explains it: a person has to look. */
  | 'unexplained'

export interface DriftVerdict {
  readonly cause: DriftCause
  /** Null: none is safe. */
  readonly repair: DriftRepair | null
  readonly reason: string
}

/** What is known of an object that differs. */
export interface DifferingObject {
  readonly entity: Extract<DriftEntity, 'customer' | 'subscription' | 'invoice' | 'invoiceItem' | 'dispute'>
  readonly differences: readonly FieldDifference[]
  /** What we last saw of it is what the provider says now; null where no picture of it is kept. */
  readonly seenAsItIs: boolean | null
  /** Of a customer: the provider's word counts, because it was made there. */
  readonly isTheirs?: boolean
  /** Of a customer: on which side it was changed since it was told; null where nothing says that. */
  readonly changed?: 'here' | 'there' | null
  /** Of a subscription and an item: lines are told to the provider (`Directions`); unless said they are. */
  readonly isTold?: boolean
  /** Ours is final: nothing that the provider says later is taken for its end. */
  readonly isOverHere?: boolean
  /** The provider's is final, too: it is written down and changes no more. */
  readonly isFinalThere?: boolean
}

/** What is written down once and never again: looking once more does not change it. */
const fixed = new Set(['currency', 'periodStart', 'periodEnd'])

const FIXED: DriftVerdict = {
  cause: 'unexplained',
  repair: null,
  reason: 'What was billed is written down once, and it is not what the provider has.',
}
const OVER: DriftVerdict = {
  cause: 'unexplained',
  repair: null,
  reason: 'It is over here and not there: nothing leaves its end by itself.',
}

const INTERVAL: DriftVerdict = {
  cause: 'changedThere',
  repair: 'sync',
  reason: 'How often its usage is invoiced there is not what its plan says.',
}

/** No repair writes against a direction. */
const notTold = (verdict: DriftVerdict): DriftVerdict => ({
  ...verdict,
  repair: null,
  reason: `${verdict.reason} Lines are not told to the provider (LOCKSTEP_DIRECTIONS): make both sides one by hand.`,
})

/** Whoever changed it, who a customer of ours is is said here. */
const renamed: Readonly<Record<'here' | 'there' | 'unknown', DriftVerdict>> = {
  here: {
    cause: 'changedHere',
    repair: 'tell',
    reason: 'It stands at the provider as it was told last; the row was written by other hands.',
  },
  there: {
    cause: 'changedThere',
    repair: 'tell',
    reason: 'It was changed at the provider; who it is is said here.',
  },
  unknown: {
    cause: 'unknownSide',
    repair: 'tell',
    reason:
      'The provider calls it otherwise, and nothing tells on which side it was changed; who it is is said here.',
  },
}

/** Why one object differs, and what may be done. Nothing is guessed: what no rule explains is a person's. */
export function judgeDifference(object: DifferingObject): DriftVerdict {
  const { entity, differences, seenAsItIs, isTheirs, isOverHere, isFinalThere } = object
  const { changed = null, isTold = true } = object
  const missed: DriftVerdict = {
    cause: 'missed',
    repair: 'look',
    reason: 'It changed at the provider and nothing told us.',
  }
  const written: DriftVerdict = {
    cause: 'changedHere',
    repair: 'look',
    reason: 'It was seen as it is there; the row was written by other hands.',
  }
  switch (entity) {
    case 'customer':
      if (isTheirs) return seenAsItIs ? written : missed
      return renamed[seenAsItIs ? (changed ?? 'unknown') : 'there']
    case 'dispute':
      return seenAsItIs ? written : missed
    case 'subscription':
      // Alone it is told again; beside others these are taken over first.
      if (differences.every(({ field }) => field === 'usageInterval'))
        return isTold ? INTERVAL : notTold(INTERVAL)
      if (isOverHere && differences.some(({ field }) => field === 'status')) return OVER
      return seenAsItIs ? written : missed
    case 'invoice':
      if (differences.some(({ field }) => fixed.has(field))) return FIXED
      if (isOverHere && isFinalThere === false) return OVER
      return seenAsItIs ? written : missed
    case 'invoiceItem': {
      const differs: DriftVerdict = {
        ...{ cause: 'changedThere', repair: 'sync', reason: 'What stands there is not what was sent.' },
      }
      return isTold ? differs : notTold(differs)
    }
  }
}
