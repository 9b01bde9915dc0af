import type { Instant } from '@lockstep/core/instant'
import type { Quantity } from '@lockstep/core/quantity'
import type { GroupValues } from '@lockstep/core/usage-group'
import type { Arrival } from './arrival.ts'
import type { Hash } from './identity.ts'
import type { Places } from './places.ts'
import { add, bucketOf, type Sums } from './rollups.ts'

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

/** What a batch adds to one bucket of one group. */
export interface GroupRollup extends Bucket, Sums {
  readonly group: Hash
}

/** A value that a bucket saw of a group. */
export interface GroupValue extends SeenValue {
  readonly group: Hash
}

export interface GroupLevel extends LevelRollup {
  readonly group: Hash
}

/** A group that the batch names. */
export interface NamedGroup extends Omit<Bucket, 'bucket'> {
  readonly group: Hash
  readonly values: GroupValues
}

/** What a batch adds beside its rollups. Mostly nothing: plain meters need no more than those. */
export interface SideRollups {
  readonly values: readonly SeenValue[]
  readonly levels: readonly LevelRollup[]
  readonly groups: readonly NamedGroup[]
  readonly groupRollups: readonly GroupRollup[]
  readonly groupValues: readonly GroupValue[]
  readonly groupLevels: readonly GroupLevel[]
}

/** Each kind in one order for all processes, so that nobody locks the other out. */
export function rollUpBeside(arrivals: readonly Arrival[], places: Places): SideRollups {
  const values = new Map<string, SeenValue>()
  const levels = new Map<string, LevelRollup>()
  const groups = new Map<string, NamedGroup>()
  const groupRollups = new Map<string, GroupRollup>()
  const groupValues = new Map<string, GroupValue>()
  const groupLevels = new Map<string, GroupLevel>()
  for (const arrival of arrivals) {
    const { special, customer, meterKey, time } = arrival
    if (!special?.counted) continue
    const { value, level, group } = special
    const bucket = bucketOf(time, places.of(arrival))
    const place = { customerId: customer.id, meterKey, bucket }
    const key = `${customer.id} ${meterKey} ${String(bucket).padStart(12, '0')}`
    if (value !== undefined) values.set(`${key} ${value}`, { ...place, value })
    if (level) addLevel(levels, key, place, arrival)
    if (group === undefined) continue
    const inGroup = { ...place, group: group.id }
    const groupKey = `${key} ${group.id}`
    groups.set(`${customer.id} ${meterKey} ${group.id}`, {
      ...{ customerId: customer.id, meterKey },
      ...{ group: group.id, values: group.values },
    })
    const rollup = groupRollups.get(groupKey)
    if (rollup) add(rollup, arrival)
    else
      groupRollups.set(groupKey, { ...inGroup, count: 1, sum: arrival.quantity, max: arrival, last: arrival })
    if (value !== undefined) groupValues.set(`${groupKey} ${value}`, { ...inGroup, value })
    if (level) addLevel(groupLevels, groupKey, inGroup, arrival)
  }
  return {
    ...{ values: sorted(values), levels: sorted(levels), groups: sorted(groups) },
    ...{
      groupRollups: sorted(groupRollups),
      groupValues: sorted(groupValues),
      groupLevels: sorted(groupLevels),
    },
  }
}

function addLevel<P extends Bucket>(
  levels: Map<string, P & Pick<LevelRollup, 'change' | 'moment'>>,
  key: string,
  place: P,
  { quantity, time }: Arrival,
): void {
  const rollup = levels.get(key) ?? { ...place, change: 0n, moment: 0n }
  rollup.change += quantity
  rollup.moment += quantity * BigInt(time - place.bucket)
  levels.set(key, rollup)
}

const sorted = <T>(rollups: ReadonlyMap<string, T>): T[] =>
  [...rollups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, rollup]) => rollup)
