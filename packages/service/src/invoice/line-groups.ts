import type { Derivation } from '@lockstep/core/derivation'
import { measure } from '@lockstep/core/meter'
import type { Quantity } from '@lockstep/core/quantity'
import { type GroupValues, groupKeyOf, otherLineKey } from '@lockstep/core/usage-group'
import type { Db } from '../postgres/connect.ts'
import { billedItemsOf } from '../store/invoice-items.ts'
import { METER_COLUMNS, meterOf } from '../store/meters.ts'
import { type OnlyGroups, usageByGroup } from '../store/usage-groups.ts'
import type { ShownLine } from './read.ts'

/** A group as a line's reader sees it. */
export interface GroupShown {
  readonly dimensions: Readonly<Record<string, string | null>>
  readonly quantity: Quantity
  readonly events: bigint
}

interface BehindLine {
  /** Whose events stand behind the line; undefined for all of its meter. */
  readonly only: OnlyGroups | undefined
  readonly shown: readonly GroupShown[] | null
}

/** A reader is shown so many; the rest is in the line's own figures. */
const MOST_SHOWN = 100

interface LineOf {
  readonly customerId: string
  readonly subscriptionId: string | null
  readonly line: Pick<ShownLine, 'key' | 'derivation' | 'period'>
  /** All of its invoice. */
  readonly lines: readonly Pick<ShownLine, 'derivation' | 'period'>[]
}

/** The groups of usage behind a line: one, those that have no line of their own, or all of its meter. */
export async function groupsBehind(db: Db, of: LineOf): Promise<BehindLine> {
  const { customerId, line } = of
  const measured = line.derivation?.measured
  const priceKey = line.derivation?.price?.key
  if (!measured || priceKey === undefined) return { only: undefined, shown: null }
  const row = await db
    .selectFrom('meter')
    .select(METER_COLUMNS)
    .where('key', '=', measured.meter)
    .executeTakeFirst()
  const meter = row && meterOf(row)
  const { dimensions } = meter ?? {}
  if (!meter || dimensions === undefined) return { only: undefined, shown: null }
  if (measured.group) {
    const groupBy = Object.keys(measured.group)
    return {
      only: { dimensions, groupBy, values: [Object.values(measured.group)], except: false },
      shown: null,
    }
  }
  const own = line.key === otherLineKey(priceKey) ? await ownGroups(db, priceKey, of) : []
  const groupBy = own.length === 0 ? dimensions : dimensions.filter((name) => name in (own[0] ?? {}))
  const values = own.map((group) => groupBy.map((name) => group[name] ?? null))
  const only = own.length === 0 ? undefined : { dimensions, groupBy, values, except: true }
  const groups = await usageByGroup(db, {
    ...{ customerId, meterKey: meter.key, period: line.period, dimensions, groupBy },
  })
  const hasOwnLine = new Set(values.map((one) => JSON.stringify(one)))
  const shown = groups
    .filter((group) => !hasOwnLine.has(JSON.stringify(group.values)))
    .map((group) => ({
      dimensions: named(groupBy, group.values),
      quantity: measure(meter, group.totals),
      events: group.totals.count,
    }))
    .sort((a, b) => (a.quantity > b.quantity ? -1 : a.quantity < b.quantity ? 1 : 0))
    .slice(0, MOST_SHOWN)
  return { only, shown }
}

type Group = NonNullable<NonNullable<Derivation['measured']>['group']>

/**
 * Groups of the same price and period that have lines of their own: on the same invoice, or billed on another one,
 * which is where they are if the line came late.
 */
async function ownGroups(
  db: Db,
  priceKey: string,
  { subscriptionId, line, lines }: LineOf,
): Promise<Group[]> {
  const { start } = line.period
  const here = lines.filter(
    ({ derivation, period }) => derivation?.price?.key === priceKey && period.start === start,
  )
  const billed =
    subscriptionId === null ? [] : await billedItemsOf(db, { subscriptionId, periodStart: start })
  const there = billed.filter(({ lineKey }) => groupKeyOf(priceKey, lineKey) !== undefined)
  return [...here, ...there].flatMap(({ derivation }) => {
    const group = derivation?.measured?.group
    return group ? [group] : []
  })
}

const named = (groupBy: readonly string[], values: GroupValues) =>
  Object.fromEntries(groupBy.map((name, i) => [name, values[i] ?? null]))
