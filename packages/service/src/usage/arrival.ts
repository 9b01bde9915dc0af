import type { UsageEvent } from '@lockstep/core/usage-event'
import type { UsageCustomer } from './directory.ts'
import { bodyHashOf, dataTextOf, type Hash, identityOf } from './identity.ts'

/** An event that may be taken in: valid, of a known customer and meter. */
export interface Arrival {
  readonly event: UsageEvent
  readonly customer: UsageCustomer
  readonly identity: Hash
  readonly bodyHash: Hash
  readonly dataText: string
}

/** What one request brought, in its order. It is taken in whole or not at all. */
export type Arrivals = readonly Arrival[]

/** What became of them. */
export interface Receipt {
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: Conflict[]
}

/** An event whose identity is known with another content: the first one stands. */
export interface Conflict {
  readonly index: number
  readonly source: string
  readonly id: string
}

export function arrivalOf(event: UsageEvent, customer: UsageCustomer): Arrival {
  const dataText = dataTextOf(event.data)
  return { event, customer, identity: identityOf(event), bodyHash: bodyHashOf(event, dataText), dataText }
}
