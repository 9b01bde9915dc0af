import type { Callers } from '@lockstep/api/callers'
import type { Scope } from '@lockstep/api/scopes'
import { Problem } from '@lockstep/core/problem'

/** The application's back end, or whoever else holds a key. */
export interface KeyCaller {
  readonly kind: 'key'
  /** `api_key_…`, or `admin_…` for the key of the environment. */
  readonly id: string
  readonly scopes: ReadonlySet<Scope>
  /**
   * What seals answers that only this caller may see again: the first seals, any opens. Never logged,
   * never stored.
   */
  readonly secrets: readonly string[]
}

/** A user of the application, who came with a token of its issuer. */
export interface UserCaller {
  readonly kind: 'user'
  /** `user_…`: a digest of the user's own id, so that none of it stands beside idempotency keys. */
  readonly id: string
  /** The token's `sub`. */
  readonly externalId: string
  /** Null until somebody registered the user. */
  readonly customer: string | null
  readonly secrets: readonly string[]
}

/** Who asks. */
export type Caller = KeyCaller | UserCaller

/** Whether a caller holds the scope. A user holds none: what a user may is said by each route. */
export const holds = (caller: Caller, scope: Scope): boolean =>
  caller.kind === 'key' && caller.scopes.has(scope)

/**
 * Refuses who lacks a scope that what is asked needs beside the route's own.
 *
 * @throws Problem `forbidden`, naming what is lacking after `because`, a sentence's beginning
 */
export function requireScopes(caller: Caller, needed: readonly string[], because: string): void {
  const lacking = needed.filter((scope) => !holds(caller, scope as Scope))
  if (lacking.length > 0) throw new Problem('forbidden', `${because}: ${lacking.join(', ')}.`)
}

/** Refuses who may not call a route at all. What is theirs there is another question: `ownership.ts`. */
export function requireCaller(caller: Caller, callers: Exclude<Callers, 'public'>): void {
  if (caller.kind === 'user') {
    if (callers.user !== undefined) return
    throw new Problem('forbidden', `Users may not call this. It takes a key with the scope ${callers.key}.`)
  }
  if (!caller.scopes.has(callers.key))
    throw new Problem('forbidden', `This takes a key with the scope ${callers.key}.`)
}
