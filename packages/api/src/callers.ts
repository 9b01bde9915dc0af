import type { Scope } from './scopes.ts'

/** The nouns of which each one belongs to a customer. */
export const ownedNouns = ['customer', 'subscription', 'contract', 'invoice', 'registration'] as const

export type OwnedNoun = (typeof ownedNouns)[number]

/**
 * What a signed-in user reaches by a route. Another's answers exactly like one that does not exist; the
 * framework sees to it before the handler runs.
 *
 * - `own subscription`: the path's `:id` names one of theirs. Where it names a customer, `me` is they.
 * - `public catalogue`: what is for sale to everybody. The handler leaves out the rest; no customer is concerned.
 * - `own customer in query`, `own customer in body`: `customer` there names them; left out, it is filled in.
 */
export type UserAccess =
  | `own ${OwnedNoun}`
  | 'own customer in query'
  | 'own customer in body'
  | 'public catalogue'

/**
 * Who may call a route: anybody without credentials, or who holds a key with the scope, and beside them
 * users, where it says for what. There is no default: a route that names nobody does not compile.
 */
export type Callers = 'public' | { readonly key: Scope; readonly user?: UserAccess }

/** The noun of `own …` that the path's `:id` names; undefined where the access is said otherwise. */
export function nounInPath(access: UserAccess): OwnedNoun | undefined {
  return ownedNouns.find((noun) => access === `own ${noun}`)
}
