import type { UsageTotals } from './meter.ts'
import { type Meter, measure, textOfValue } from './meter.ts'
import type { Quantity } from './quantity.ts'

/** Dimensions that a meter may have. */
export const MOST_DIMENSIONS = 3

/**
 * Lines that the groups of one plan's prices have in one period, shared evenly among the prices that have
 * some. An invoice at Stripe takes 250 items: so a period fits, with its other lines, and late usage has room
 * beside it.
 */
const MOST_GROUP_LINES = 100

/** The values of some dimensions, in their order; null where an event's data has no such property. */
export type GroupValues = readonly (string | null)[]

/** What events of one group come to. */
export interface UsageGroup {
  /**
   * The same for the same values, for ever: up to 32 of 0 to 9 and a to f: half of SHA-256, so that
   * whoever chooses values cannot make two groups share a line.
   */
  readonly key: string
  readonly values: GroupValues
  readonly totals: UsageTotals
}

/** The group that an event belongs to; undefined of a meter without dimensions. */
export function groupOf(
  { dimensions }: Pick<Meter, 'dimensions'>,
  data: Readonly<Record<string, unknown>>,
): GroupValues | undefined {
  return dimensions?.map((dimension) => textOfValue(data[dimension]) ?? null)
}

/** Names a group's line. No price has a key with capitals, so no two lines share a name. */
export const groupLineKey = (price: string, { key }: Pick<UsageGroup, 'key'>): string => `${price}_G${key}`

/** Names the line of all groups that have none of their own. */
export const otherLineKey = (price: string): string => `${price}_Other`

/** The group that a line was billed of; undefined where it is no group's. */
export function groupKeyOf(price: string, line: string): string | undefined {
  return line.startsWith(`${price}_G`) ? line.slice(price.length + 2) : undefined
}

export interface MeasuredGroup extends UsageGroup {
  readonly quantity: Quantity
}

export interface SharedOut {
  /** By their values. */
  readonly own: readonly MeasuredGroup[]
  /** Put together in one line; null where there is no such line. */
  readonly other: readonly MeasuredGroup[] | null
}

interface SharingOut {
  readonly meter: Pick<Meter, 'aggregation'>
  readonly groups: readonly UsageGroup[]
  /** Prices of the plan that have lines by group: they share the lines. */
  readonly prices: number
  /** Whether a line was billed in part: it stays. */
  readonly isBilled: (group: UsageGroup) => boolean
  readonly isOtherBilled: boolean
}

/**
 * Which groups have a line of their own: those of the greatest quantity, as far as lines go; the rest is in
 * one line, `other`. Who has a line is decided anew as usage comes, until something was billed: a line
 * that was billed in part keeps its groups to the end of the period's billing, and once `other` was billed
 * no group leaves it, so nothing is taken back that was right.
 */
export function shareOut({ meter, groups, prices, isBilled, isOtherBilled }: SharingOut): SharedOut {
  const measured = groups.map((group) => ({ ...group, quantity: measure(meter, group.totals) }))
  const stays = measured.filter(isBilled)
  const free = measured.filter((group) => !stays.includes(group))
  const room = isOtherBilled ? 0 : Math.max(0, Math.floor(MOST_GROUP_LINES / prices) - stays.length)
  const ranked = free.toSorted((a, b) => compare(b.quantity, a.quantity) || byValues(a, b))
  const rest = ranked.slice(room)
  return {
    own: [...stays, ...ranked.slice(0, room)].sort(byValues),
    other: rest.length > 0 || isOtherBilled ? rest : null,
  }
}

/** By text, a missing value last; of equal ones by key, so that the order is always the same. */
function byValues(a: UsageGroup, b: UsageGroup): number {
  for (const [i, value] of a.values.entries()) {
    const other = b.values[i] ?? null
    if (value === other) continue
    if (value === null) return 1
    return other === null ? -1 : compare(value, other)
  }
  return compare(a.key, b.key)
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const LONGEST_SHOWN = 40

/** What a person reads of a group: `eu`, `eu / web`, `no region / web`. */
export function groupInWords(dimensions: readonly string[], values: GroupValues): string {
  return dimensions.map((dimension, i) => shown(values[i] ?? null) ?? `no ${dimension}`).join(' / ')
}

function shown(value: string | null): string | null {
  if (value === null) return null
  if (value === '') return '""'
  // By code points, so that none is cut in two.
  const characters = Array.from(value)
  return characters.length > LONGEST_SHOWN ? `${characters.slice(0, LONGEST_SHOWN).join('')}…` : value
}
