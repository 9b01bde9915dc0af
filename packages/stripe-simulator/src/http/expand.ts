import { invalid } from '../errors.ts'
import type { Json } from '../rows.ts'
import type { World } from '../world.ts'

/**
 * How a field of an object is expanded: by the row that its id names, or by making a part left out. Of a part of an object
 * (`source` of a discount) the object is told, too.
 */
type Expansion = (world: World, part: Json, whole: Json) => unknown
export type Expansions = Record<string, Record<string, Expansion>>

const MAX_DEPTH = 4

/** Answers `object` with the asked paths filled in. Snapshots are shared, so nothing is changed in place. */
export function expand(world: World, expansions: Expansions, object: Json, paths: readonly string[]): Json {
  let result = object
  for (const [i, path] of paths.entries()) {
    const steps = path.split('.')
    if (steps.length > MAX_DEPTH) {
      throw invalid(
        `You cannot expand more than ${MAX_DEPTH} levels of a property. Property: ${path}`,
        `expand[${i}]`,
        'property_expansion_max_depth',
      )
    }
    // `inside` leads from the nearest object to a part of it: `source` of a discount, for `source.coupon`.
    const follow = (value: unknown, depth: number, within?: Json, inside = ''): unknown => {
      const name = steps[depth]
      if (name === undefined || value === null || value === undefined) return value
      if (Array.isArray(value)) return value.map((item) => follow(item, depth, within, inside))
      if (typeof value !== 'object') return value
      const owner = value as Json
      const nearest = typeof owner.object === 'string' ? owner : within
      const kind = nearest?.object as string | undefined
      const full = typeof owner.object === 'string' || inside === '' ? name : `${inside}.${name}`
      const how =
        kind === undefined ? undefined : (expansions[kind]?.[full] ?? expansions[kind]?.[ofAny(full)])
      if (how !== undefined) {
        // Already expanded by an earlier path, or an id (or nothing yet) to be replaced.
        const present = owner[name]
        if (present === null) return owner
        const whole = typeof present === 'object' && present !== null && !Array.isArray(present)
        const items = Array.isArray(present) && present.some((item) => typeof item === 'object')
        return {
          ...owner,
          [name]: follow(
            whole || items ? present : how(world, owner, nearest ?? owner),
            depth + 1,
            nearest,
            full,
          ),
        }
      }
      if (!(name in owner)) {
        throw invalid(`This property cannot be expanded because it doesn't exist: ${path}.`, `expand[${i}]`)
      }
      const inner = owner[name]
      if (depth + 1 === steps.length && !isSubList(owner, name) && inner !== null) {
        throw invalid(`This property cannot be expanded (${path}).`, `expand[${i}]`)
      }
      return { ...owner, [name]: follow(inner, depth + 1, nearest, full) }
    }
    result = follow(result, 0) as Json
  }
  return result
}

/** Of what is kept by names that are nowhere listed, as `currency_options` is by currency: `currency_options.*.tiers`. */
function ofAny(path: string): string {
  return path.replace(/\.[^.]+\.([^.]+)$/, '.*.$1')
}

/** Naming a list that is always there, or the `data` of a list, is allowed and changes nothing. */
function isSubList(owner: Json, name: string): boolean {
  const inner = owner[name]
  if (owner.object === 'list' && name === 'data') return true
  return typeof inner === 'object' && inner !== null && 'object' in inner
}
