import type { Expansions } from '../http/expand.ts'
import type { Route } from '../http/route.ts'
import type { World } from '../world.ts'
import type { Given } from './given.ts'
import type { Version } from './versions.ts'

/**
 * What a version of the API did differently from the one before it. Everything else in the simulator knows
 * the newest version only; an older one is reached by taking the changes back, newest first.
 * https://stripe.com/blog/api-versioning
 */
export interface VersionChange {
  /** The first version that has it. */
  readonly since: Version
  /** What it changed, in a sentence. */
  readonly what: string
  /** Stripe's page about it. */
  readonly source: string
  /** By the name of an object: how the newer shape is turned back into the older one. */
  readonly show?: { readonly [object: string]: Turn }
  /** By operation (`POST /v1/customers`): how parameters of the older version become newer ones. */
  readonly accept?: { readonly [operation: string]: (given: Given) => void }
  /** By operation: parameters that came with it. The older version does not know them. */
  readonly parameters?: { readonly [operation: string]: readonly string[] }
  /** Operations that came with it. */
  readonly operations?: readonly string[]
  /** Operations that went with it: only older versions have them. */
  readonly former?: readonly Former[]
  /** By object: fields that only older versions can expand, and null for those that they cannot. */
  readonly expand?: { readonly [object: string]: { readonly [field: string]: Expansion | null } }
}

/**
 * How an object is turned back: `drop` lists fields that the older version did not have, `give` makes those
 * that only it had. A function sees the object of the newer shape; what it embeds is in the newest shape and
 * is turned afterwards by itself.
 */
export interface Turn {
  readonly drop?: readonly string[]
  readonly give?: { readonly [field: string]: Giver }
}

/** An operation of older versions, and the newer one whose parameters it takes once they are turned. */
interface Former {
  readonly route: Route
  readonly becomes?: string
}

/** Reads the newer object; the world only for what the newer object no longer says. */
type Giver = (newer: never, world: World) => unknown
type Expansion = Expansions[string][string]

/** Keeps the literal names, from which the types of the older shapes are derived. */
export function change<const C extends VersionChange>(given: C): C {
  return given
}

/** For a part of an object: the same without some of its fields. */
export function without<T extends object, K extends keyof T>(part: T, ...fields: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(part).filter(([name]) => !fields.includes(name as K))) as Omit<
    T,
    K
  >
}
