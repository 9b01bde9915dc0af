import type { Instant } from '@lockstep/core/instant'
import type { Seller } from '@lockstep/core/seller'
import type { Trx } from '../postgres/connect.ts'
import { addAcceptance } from '../store/contracts.ts'
import { type Customer, readCustomer } from '../store/customers.ts'
import { readSeller } from '../store/seller.ts'
import { newSalt } from './digest.ts'

/** What the application says about who accepts, and where. */
export interface Accepted {
  /** The version of the seller's text; the one in force unless given. Null: nobody knows whether any was. */
  readonly termsVersion?: string | null | undefined
  readonly address?: string | undefined
  readonly ipAddress?: string | undefined
  readonly userAgent?: string | undefined
}

/** The first contract of a subscription has the subscription's number, known before either is made. */
export function contractIdOf(subscriptionId: string): string {
  return subscriptionId.replace(/^subscription/, 'contract')
}

/** Who accepts, as the profile says now, and whose text. */
export interface Acceptor {
  readonly customer: Pick<Customer, 'name' | 'email'> | undefined
  readonly seller: Seller | null
}

/** `written`: who was written down in this very transaction. */
export async function acceptor(
  trx: Trx,
  customerId: string,
  written?: Acceptor['customer'],
): Promise<Acceptor> {
  const [customer, seller] = await Promise.all([written ?? readCustomer(trx, customerId), readSeller(trx)])
  return { customer, seller }
}

/**
 * Records that a contract was accepted, with the customer as the profile says now. The contract is made
 * of it later, when both sides have what they agreed on. Recording again changes nothing.
 */
export async function recordAcceptance(
  trx: Trx,
  {
    contractId,
    customerId,
    acceptedAt,
    ...accepted
  }: Accepted & { readonly contractId: string; readonly customerId: string; readonly acceptedAt: Instant },
  known?: Acceptor,
): Promise<void> {
  const { customer, seller } = known ?? (await acceptor(trx, customerId))
  await addAcceptance(trx, {
    ...{ contractId, customerId, acceptedAt },
    terms: termsOf(seller?.terms ?? null, accepted.termsVersion),
    person: {
      salt: newSalt(),
      name: customer?.name ?? null,
      email: customer?.email ?? null,
      address: accepted.address ?? null,
      ipAddress: accepted.ipAddress ?? null,
      userAgent: accepted.userAgent ?? null,
    },
  })
}

/** Whoever accepted an older text accepted that one; where it is to be read, nobody says any more. */
function termsOf(
  inForce: { version: string; url: string | null } | null,
  version: string | null | undefined,
) {
  if (version === null) return null
  return version === undefined || version === inForce?.version ? inForce : { version, url: null }
}
