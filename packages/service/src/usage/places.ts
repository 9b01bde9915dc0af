import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import type { Arrival } from './arrival.ts'
import type { UsageCustomer } from './directory.ts'

const SECONDS_PER_HOUR = 3600

/** One customer's hour, and what the database says of it. */
export interface Place {
  readonly customer: UsageCustomer
  readonly hour: Instant
  readonly cuts: Instant[]
  readonly invoices: TouchedInvoice[]
}

/** An invoice that is to be marked when an event of its period is taken in. */
export interface TouchedInvoice {
  readonly id: string
  readonly subscriptionId: string | null
  readonly period: Period
  /** It is frozen: the event is late usage. */
  readonly frozen: boolean
}

/** The places of a batch. Most customers have one, of the hour that is now. */
export class Places {
  readonly all: Place[] = []
  readonly #ofCustomer = new Map<string, Place[]>()

  /** The place of an arrival, made when it is the first one there. */
  of = ({ customer, time }: Arrival): Place => {
    let places = this.#ofCustomer.get(customer.id)
    if (!places) {
      places = []
      this.#ofCustomer.set(customer.id, places)
    }
    for (const place of places) {
      if (time >= place.hour && time < place.hour + SECONDS_PER_HOUR) return place
    }
    const hour = Math.floor(time / SECONDS_PER_HOUR) * SECONDS_PER_HOUR
    const place = { customer, hour, cuts: [], invoices: [] }
    places.push(place)
    this.all.push(place)
    return place
  }
}
