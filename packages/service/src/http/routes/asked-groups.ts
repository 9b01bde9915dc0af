import type { Meter } from '@lockstep/core/meter'
import type { AskedGroups } from '../../store/usage-groups.ts'
import { invalidQuery } from './invalid-query.ts'

interface Asked {
  readonly by?: string | undefined
  readonly only?: string | undefined
}

/**
 * By which dimensions usage is asked for, `region,app`, and of which values alone, `region:eu,app:web`; a
 * value without its colon, `region`, is what has none. Undefined where nothing of this is asked.
 */
export function groupsAsked({ by, only }: Asked, meter: Meter | undefined): AskedGroups | undefined {
  if (by === undefined && only === undefined) return undefined
  const dimensions = meter?.dimensions ?? []
  const named = (parameter: string, name: string) => {
    if (dimensions.includes(name)) return name
    const detail = meter
      ? `The meter ${meter.key} has no dimension ${name}.`
      : 'Dimensions are those of one meter: name it.'
    throw invalidQuery(parameter, 'unknown', detail)
  }
  const groupBy = listOf(by).map((name) => named('by', name))
  const values = listOf(only).map((text) => {
    const colon = text.indexOf(':')
    const name = colon === -1 ? text : text.slice(0, colon)
    return [named('only', name), colon === -1 ? null : text.slice(colon + 1)] as const
  })
  // In the meter's order, and each once.
  return {
    dimensions,
    groupBy: dimensions.filter((name) => groupBy.includes(name)),
    only: Object.fromEntries(values),
  }
}

const listOf = (text: string | undefined): string[] => (text === undefined ? [] : text.split(','))
