import type { Instant } from '@lockstep/core/instant'
import { isPlainMeter, type Meter, passesFilter, textOfValue } from '@lockstep/core/meter'
import type { Quantity } from '@lockstep/core/quantity'
import type { UsageEvent } from '@lockstep/core/usage-event'
import { type GroupValues, groupOf } from '@lockstep/core/usage-group'
import type { UsageCustomer } from './directory.ts'
import {
  bodyHashOf,
  dataTextOf,
  digest,
  fractionOf,
  groupIdOf,
  type Hash,
  identityOf,
  quantityTextOf,
  rankOf,
} from './identity.ts'

/** An event that may be taken in: valid, of a known customer and meter. What is kept of it, and no more. */
export interface Arrival {
  readonly customer: UsageCustomer
  readonly meterKey: string
  readonly source: string
  readonly id: string
  readonly time: Instant
  /** Beyond the whole second; finer digits are cut off. */
  readonly microseconds: number
  readonly quantity: Quantity
  /** For SQL. */
  readonly quantityText: string
  readonly dataText: string
  readonly identity: Hash
  /** Orders identities, mostly without looking at them: see {@link rankOf}. */
  readonly rank: number
  readonly bodyHash: Hash
  /** Of a meter of which more is kept than a rollup, or that does not count every event. */
  readonly special?: Special
}

/** What an event does beside, or instead of, going into its rollup. */
export interface Special {
  /** Whether its meter's filter lets it through; if not it is kept and counted nowhere. */
  readonly counted: boolean
  /** Of a `unique` meter. */
  readonly value?: Hash
  /** Of a `timeWeightedSum` meter: it changes a level, from its time on and for ever. */
  readonly level?: true
  /** Of a meter with dimensions. */
  readonly group?: { readonly id: Hash; readonly values: GroupValues }
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

/** What an event of this meter does; undefined where it does what every event does. */
export function specialOf({ data }: UsageEvent, meter: Meter): Special | undefined {
  if (isPlainMeter(meter)) return undefined
  const { aggregation, property } = meter
  const value = property === undefined ? undefined : textOfValue(data[property])
  const values = groupOf(meter, data)
  return {
    counted: passesFilter(meter, data),
    ...(value !== undefined && { value: digest(value) }),
    ...(aggregation === 'timeWeightedSum' && { level: true }),
    ...(values !== undefined && { group: { id: groupIdOf(values), values } }),
  }
}

export function arrivalOf(event: UsageEvent, customer: UsageCustomer, meterKey: string): Arrival {
  const { source, id, time, timeText, quantity } = event
  const fraction = fractionOf(timeText)
  const quantityText = quantityTextOf(event)
  const dataText = dataTextOf(event.data)
  const identity = identityOf(event)
  return {
    customer,
    meterKey,
    source,
    id,
    time,
    microseconds: fraction === '' ? 0 : Number(fraction.slice(0, 6).padEnd(6, '0')),
    quantity,
    quantityText,
    dataText,
    identity,
    rank: rankOf(identity),
    bodyHash: bodyHashOf(event, { fraction, quantityText, dataText }),
  }
}
