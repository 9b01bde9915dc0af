import type { Instant } from '@lockstep/core/instant'
import type { Quantity } from '@lockstep/core/quantity'
import type { Arrival } from './arrival.ts'
import type { Hash } from './identity.ts'
import type { Places } from './places.ts'
import { bucketOf } from './rollups.ts'

/** A bucket of one customer and meter. */
interface Bucket {
  readonly customerId: string
  readonly meterKey: string
  readonly bucket: Instant
}

/** A value that a bucket saw. */
export interface SeenValue extends Bucket {
  readonly value: Hash
}

/** What a batch does to the level of one bucket: see {@link weigh} of core. */
export interface LevelRollup extends Bucket {
  change: Quantity
  moment: Quantity
}

/** What a batch adds beside its rollups. Mostly nothing: plain meters need no more than those. */
export interface SideRollups {
  readonly values: readonly SeenValue[]
  readonly levels: readonly LevelRollup[]
}

/** Each kind in one order for all processes, so that nobody locks the other out. */
export function rollUpBeside(arrivals: readonly Arrival[], places: Places): SideRollups {
  const values = new Map<string, SeenValue>()
  const levels = new Map<string, LevelRollup>()
  for (const arrival of arrivals) {
    const { special, customer, meterKey, time, quantity } = arrival
    if (!special?.counted) continue
    const { value, level } = special
    const bucket = bucketOf(time, places.of(arrival))
    const place = { customerId: customer.id, meterKey, bucket }
    const key = `${customer.id} ${meterKey} ${String(bucket).padStart(12, '0')}`
    if (value !== undefined) values.set(`${key} ${value}`, { ...place, value })
    if (level) {
      const rollup = levels.get(key) ?? { ...place, change: 0n, moment: 0n }
      rollup.change += quantity
      rollup.moment += quantity * BigInt(time - bucket)
      levels.set(key, rollup)
    }
  }
  return { values: sorted(values), levels: sorted(levels) }
}

const sorted = <T>(rollups: ReadonlyMap<string, T>): T[] =>
  [...rollups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, rollup]) => rollup)
