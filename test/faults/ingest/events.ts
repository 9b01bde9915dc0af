import type { UsageEvent } from '@lockstep/sdk/usage'

export const CUSTOMERS = 20

/** One of each kind that is kept in a table of its own. */
export const METERS = {
  bytes: { aggregation: 'sum', rules: '{}' },
  users: { aggregation: 'unique', rules: '{"property":"user"}' },
  disk: { aggregation: 'timeWeightedSum', rules: '{}' },
} as const

type MeterKey = keyof typeof METERS

const DAYS = 400
const SECONDS_PER_DAY = 86_400
/** The last second that an event of any run has. */
const END = Date.parse('2026-02-01T00:00:00Z') / 1000
const USERS = 500

/** What an event is made of; the same again for the same number and seed. */
interface Parts {
  readonly customer: number
  readonly meter: MeterKey
  readonly time: number
  /** In thousandths; of a level it may be negative. */
  readonly thousandths: number
  readonly user: number
}

function partsOf(index: number, seed: number): Parts {
  const dice = (salt: number, below: number) => mix(index, seed + salt) % below
  const meter: MeterKey = index % 10 === 0 ? 'users' : index % 10 === 1 ? 'disk' : 'bytes'
  const thousandths = meter === 'disk' ? dice(3, 20_001) - 10_000 : dice(3, 1_000_000)
  return {
    customer: dice(1, CUSTOMERS),
    meter,
    time: END - 1 - dice(2, DAYS * SECONDS_PER_DAY),
    thousandths,
    user: dice(4, USERS),
  }
}

export function eventAt(index: number, seed: number): UsageEvent {
  const { customer, meter, time, thousandths, user } = partsOf(index, seed)
  return {
    source: `faults-${seed}`,
    id: `event-${index}`,
    type: meter,
    subject: `user-${customer}`,
    time: new Date(time * 1000).toISOString(),
    data: meter === 'users' ? { user: `u-${user}` } : { quantity: decimal(thousandths) },
  }
}

/** What the tables must hold, counted while the events are made: by its own arithmetic, in whole numbers. */
export interface Ledger {
  events: number
  /** Thousandths of `bytes`, by customer. */
  readonly bytes: bigint[]
  /** Users, by customer. */
  readonly users: Set<number>[]
  /** Thousandths that `disk` changed by, and those times the seconds since 1970. */
  readonly change: bigint[]
  readonly moment: bigint[]
  add(index: number): void
}

export function newLedger(seed: number): Ledger {
  const zeros = () => Array.from({ length: CUSTOMERS }, () => 0n)
  const [bytes, change, moment] = [zeros(), zeros(), zeros()]
  const users = Array.from({ length: CUSTOMERS }, () => new Set<number>())
  const raise = (list: bigint[], customer: number, by: bigint) => {
    list[customer] = (list[customer] ?? 0n) + by
  }
  return {
    ...{ events: 0, bytes, users, change, moment },
    add(index) {
      const { customer, meter, time, thousandths, user } = partsOf(index, seed)
      this.events += 1
      if (meter === 'users') users[customer]?.add(user)
      else if (meter === 'bytes') raise(bytes, customer, BigInt(thousandths))
      else {
        raise(change, customer, BigInt(thousandths))
        raise(moment, customer, BigInt(thousandths) * BigInt(time))
      }
    },
  }
}

function decimal(thousandths: number): string {
  const [whole, rest] = [Math.trunc(Math.abs(thousandths) / 1000), Math.abs(thousandths) % 1000]
  return `${thousandths < 0 ? '-' : ''}${whole}.${String(rest).padStart(3, '0')}`
}

/** A whole number below 2^32 that looks like chance (the finalizer of MurmurHash3). */
function mix(index: number, seed: number): number {
  let hash = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
