import { nounInPath, type OwnedNoun, type UserAccess } from '@lockstep/api/callers'
import { Problem, type ProblemCode } from '@lockstep/core/problem'
import type { Db } from '../postgres/connect.ts'
import { ownerOf } from '../store/owners.ts'
import type { UserCaller } from './caller.ts'

/** The parts of a request as they came, in which a customer or something of theirs may be named. */
export interface Named {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/**
 * The one place that tells a user's own from another's. Refuses what is another's exactly as what does
 * not exist, before anything else of the request is looked at, and fills in the user's customer where
 * the request names none.
 */
export async function narrowed(db: Db, user: UserCaller, access: UserAccess, request: Named): Promise<Named> {
  if (access === 'public catalogue') return request
  const noun = nounInPath(access)
  if (noun === undefined) {
    const part = access === 'own customer in body' ? 'body' : 'query'
    return { ...request, [part]: withOwnCustomer(user, request[part]) }
  }
  const { id } = request.params as { readonly id: string }
  if (noun === 'customer' && id === 'me')
    return { ...request, params: { ...(request.params as object), id: customerOf(user) } }
  const owner = await ownerOf(db, noun, id)
  if (owner === undefined || owner !== user.customer) throw absent(noun, id)
  return request
}

/** A user may name the customer by either id, or leave it to us. */
function withOwnCustomer(user: UserCaller, part: unknown): unknown {
  const own = customerOf(user)
  if (part === undefined) return { customer: own }
  // What has another shape is for the validation to refuse.
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
  const { customer: named = own } = part as { readonly customer?: unknown }
  if (typeof named !== 'string') return part
  if (named !== own && named !== user.externalId) throw absent('customer', named)
  return { ...part, customer: own }
}

function customerOf({ customer }: UserCaller): string {
  if (customer === null)
    throw new Problem('customer_not_found', 'There is no customer for this user: nobody registered it yet.')
  return customer
}

const codes = {
  customer: 'customer_not_found',
  subscription: 'subscription_not_found',
  contract: 'contract_not_found',
  invoice: 'invoice_not_found',
  registration: 'registration_not_found',
} as const satisfies Record<OwnedNoun, ProblemCode>

/** In the words of the routes themselves. */
const absent = (noun: OwnedNoun, id: string) => new Problem(codes[noun], `There is no ${noun} ${id}.`)
