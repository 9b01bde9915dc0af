import type { UsageEvent } from '@lockstep/sdk/usage'

export const CUSTOMERS = 20

/** One of each kind that is kept in a table of its own: of all usage together, and by groups. */
export const METERS = {
  bytes: { aggregation: 'sum', rules: {} },
  users: { aggregation: 'unique', rules: { property: 'user' } },
  disk: { aggregation: 'timeWeightedSum', rules: {} },
  traffic: { aggregation: 'sum', rules: { dimensions: ['app', 'region'] } },
  seats: { aggregation: 'unique', rules: { property: 'user', dimensions: ['app'] } },
  volumes: { aggregation: 'timeWeightedSum', rules: { dimensions: ['region'] } },
} as const

type MeterKey = keyof typeof METERS

/** By the last digit of an event's number. */
const METER_OF_DIGIT: readonly MeterKey[] = [
  ...(['users', 'seats', 'disk', 'volumes'] as const),
  ...(['traffic', 'traffic', 'traffic', 'bytes', 'bytes', 'bytes'] as const),
]

const DAYS = 400
const SECONDS_PER_DAY = 86_400
/** The last second that an event of any run has. */
export const END = Date.parse('2026-02-01T00:00:00Z') / 1000
const START = END - DAYS * SECONDS_PER_DAY
const USERS = 500
const APPS = 12
/** An event without a region is of a group too. */
const REGIONS = ['de', 'fr', 'jp', null] as const

/** One of so many is of any of the 400 days; the others come when their day does. */
const LATE = 10
/** Of a day, in which people work: usage comes by hours that many share. */
const HOURS_OF_WORK = 3

/** Which events: as many as there will be, as the 400 days go by while they come. */
export interface Story {
  readonly events: number
  readonly seed: number
}

/** What an event is made of; the same again for the same number of the same story. */
interface Parts {
  readonly customer: number
  readonly meter: MeterKey
  readonly time: number
  /** In thousandths; of a level it may be negative. */
  readonly thousandths: number
  readonly user: number
  readonly app: string
  readonly region: string | null
}

function partsOf(index: number, { events, seed }: Story): Parts {
  const dice = (salt: number, below: number) => mix(index, seed + salt) % below
  const meter = METER_OF_DIGIT[index % 10] ?? 'bytes'
  const isLevel = METERS[meter].aggregation === 'timeWeightedSum'
  const inTime = () => {
    const day = Math.floor((index / events) * DAYS)
    return START + day * SECONDS_PER_DAY + 8 * 3600 + dice(2, HOURS_OF_WORK * 3600)
  }
  return {
    customer: dice(1, CUSTOMERS),
    meter,
    time: dice(7, LATE) === 0 ? START + dice(2, DAYS * SECONDS_PER_DAY) : inTime(),
    thousandths: isLevel ? dice(3, 20_001) - 10_000 : dice(3, 1_000_000),
    user: dice(4, USERS),
    app: `app-${dice(5, APPS)}`,
    region: REGIONS[dice(6, REGIONS.length)] ?? null,
  }
}

export function eventAt(index: number, story: Story): UsageEvent {
  const { customer, meter, time, thousandths, user, app, region } = partsOf(index, story)
  return {
    source: `faults-${story.seed}`,
    id: `event-${index}`,
    type: meter,
    subject: `user-${customer}`,
    time: new Date(time * 1000).toISOString(),
    data: {
      ...(METERS[meter].aggregation === 'unique'
        ? { user: `u-${user}` }
        : { quantity: decimal(thousandths) }),
      ...('dimensions' in METERS[meter].rules && { app, ...(region !== null && { region }) }),
    },
  }
}

/** What is kept of some events together. */
export interface Tally {
  count: number
  /** Thousandths; and of levels, those times the seconds since 1970. */
  sum: bigint
  moment: bigint
  readonly users: Set<number>
}

/** What the tables must hold, counted while the events are made: by its own arithmetic, in whole numbers. */
export interface Ledger {
  events: number
  /** By customer and meter; of meters with dimensions by group too ({@link nameOf}). */
  readonly tallies: ReadonlyMap<string, Tally>
  add(index: number): void
}

/** Of a tally: all usage of a meter together, or what has these values of its dimensions. */
export const nameOf = (customer: string, meter: string, group?: string): string =>
  [customer, meter, ...(group === undefined ? [] : [group])].join(' ')

export const idOf = (customer: number): string => `customer_${String(customer).padStart(26, '0')}`

export function newLedger(story: Story): Ledger {
  const tallies = new Map<string, Tally>()
  const tallyOf = (name: string): Tally => {
    const known = tallies.get(name) ?? { count: 0, sum: 0n, moment: 0n, users: new Set<number>() }
    tallies.set(name, known)
    return known
  }
  return {
    events: 0,
    tallies,
    add(index) {
      const parts = partsOf(index, story)
      const { customer, meter, time, thousandths, user } = parts
      const { aggregation, rules } = METERS[meter]
      const dimensions: readonly ('app' | 'region')[] = 'dimensions' in rules ? rules.dimensions : []
      const group = JSON.stringify(dimensions.map((name) => parts[name]))
      this.events += 1
      for (const name of [
        nameOf(idOf(customer), meter),
        ...(dimensions.length > 0 ? [nameOf(idOf(customer), meter, group)] : []),
      ]) {
        const tally = tallyOf(name)
        tally.count += 1
        if (aggregation === 'unique') tally.users.add(user)
        // An event without a quantity is one.
        tally.sum += aggregation === 'unique' ? 1000n : BigInt(thousandths)
        if (aggregation === 'timeWeightedSum') tally.moment += BigInt(thousandths) * BigInt(time)
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
