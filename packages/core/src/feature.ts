import type { Quantity } from './quantity.ts'

export const featureKinds = ['switch', 'limit', 'metered'] as const

/** On or off; up to a number of things at once; up to a quantity of a meter in each period. */
export type FeatureKind = (typeof featureKinds)[number]

/** What an application asks about before it lets a customer do something. Plans grant it. */
export interface Feature {
  readonly key: string
  readonly name: string
  /** Never changes, as the meter never does: agreements say what they say. */
  readonly kind: FeatureKind
  /** Of a metered one, the meter it is measured by. */
  readonly meter: string | null
  /** Of a limit, what one of its things is called. */
  readonly unitLabel: string | null
}

/** What a plan gives of a feature. A feature that a plan does not grant is not there. */
export type Grant = { readonly feature: string } & (
  | { readonly kind: 'switch' }
  | {
      readonly kind: 'limit'
      /** Inclusive; null for no end. */
      readonly upTo: Quantity | null
    }
  | {
      readonly kind: 'metered'
      /** Of each billing period, inclusive; null for no end. */
      readonly upTo: Quantity | null
      /** What is used beyond is billed by the plan's price of the meter, or not to be had. */
      readonly beyond: 'billed' | 'refused'
    }
)

/** A number of times what one piece of an add-on gives; a switch is on or off however often. */
export function times(grant: Grant, pieces: number): Grant {
  if (grant.kind === 'switch' || grant.upTo === null) return grant
  return { ...grant, upTo: grant.upTo * BigInt(pieces) }
}

/** What two grants of one feature on one subscription give together; no end and something is no end. */
export function plus(a: Grant, b: Grant): Grant {
  if (a.kind === 'switch' || b.kind === 'switch') return a
  const upTo = a.upTo === null || b.upTo === null ? null : a.upTo + b.upTo
  if (a.kind === 'limit' || b.kind === 'limit') return { ...a, upTo }
  return { ...a, upTo, beyond: a.beyond === 'billed' ? a.beyond : b.beyond }
}

/** A grant as it is stored and hashed: integers as decimal text, keys always in one order. */
export type GrantJson = { readonly feature: string } & (
  | { readonly kind: 'switch' }
  | { readonly kind: 'limit'; readonly upToNanos: string | null }
  | { readonly kind: 'metered'; readonly upToNanos: string | null; readonly beyond: 'billed' | 'refused' }
)

export function grantToJson(grant: Grant): GrantJson {
  const { feature } = grant
  switch (grant.kind) {
    case 'switch':
      return { feature, kind: grant.kind }
    case 'limit':
      return { feature, kind: grant.kind, upToNanos: nanos(grant.upTo) }
    case 'metered':
      return { feature, kind: grant.kind, upToNanos: nanos(grant.upTo), beyond: grant.beyond }
  }
}

/** Reads what {@link grantToJson} wrote, here or in a store of ours. */
export function grantFromJson(json: GrantJson): Grant {
  const { feature } = json
  switch (json.kind) {
    case 'switch':
      return { feature, kind: json.kind }
    case 'limit':
      return { feature, kind: json.kind, upTo: quantity(json.upToNanos) }
    case 'metered':
      return { feature, kind: json.kind, upTo: quantity(json.upToNanos), beyond: json.beyond }
  }
}

const nanos = (upTo: Quantity | null): string | null => (upTo === null ? null : `${upTo}`)
const quantity = (text: string | null): Quantity | null => (text === null ? null : BigInt(text))
