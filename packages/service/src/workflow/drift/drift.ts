import type { DriftEntity, DriftKind, DriftVerdict, FieldDifference } from '@lockstep/core/drift'

/** One object that is not on both sides as it should be, why, and what may be done about it. */
export interface Drift extends DriftVerdict {
  readonly entity: DriftEntity
  readonly kind: DriftKind
  /** Our id of it; null where we have none. */
  readonly entityId: string | null
  readonly providerId: string | null
  /** Field by field; empty where one side is missing. */
  readonly differences: readonly FieldDifference[]
}

export interface DriftReport {
  /** Objects of the provider's that were held against ours. */
  readonly looked: number
  /** What differs because something is being done about it at this moment: no drift. */
  readonly underWay: number
  readonly drifts: readonly Drift[]
}

/** What one page of objects comes to. */
export interface Compared {
  readonly drifts: readonly Drift[]
  readonly underWay: number
}
