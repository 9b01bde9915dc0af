import type { Expansions } from '../http/expand.ts'
import { type Counting, TOTAL } from '../http/list.ts'
import type { Route } from '../http/route.ts'
import type { Raw } from '../http/schema.ts'
import type { Json } from '../rows.ts'
import type { World } from '../world.ts'
import type { Turn, VersionChange } from './change.ts'
import { changes } from './changes.ts'
import { Given } from './given.ts'
import { has, type Version } from './versions.ts'

/** The API as one version speaks it: the newest, with the changes since taken back. */
export class Dialect {
  readonly version: Version
  /** What the version does not have, newest first. The newest version lacks nothing and turns nothing. */
  readonly #since: readonly VersionChange[]
  readonly #oldestFirst: readonly VersionChange[]
  readonly #turns = new Map<string, Turn[]>()
  readonly #unknown = new Set<string>()
  /** Whether the version has a route; of those that were asked for. */
  readonly #known = new Map<Route, boolean>()
  readonly #expansions = new Map<Expansions, Expansions>()

  constructor(version: Version) {
    this.version = version
    const all: readonly VersionChange[] = changes
    this.#since = all.filter(({ since }) => !has(version, since))
    this.#oldestFirst = this.#since.toReversed()
    for (const { show = {}, operations = [] } of this.#since) {
      for (const [name, turn] of Object.entries(show)) {
        this.#turns.set(name, [...(this.#turns.get(name) ?? []), turn])
      }
      for (const operation of operations) this.#unknown.add(operation)
    }
    for (const { since, former = [] } of all) {
      if (has(version, since)) for (const { route } of former) this.#unknown.add(operationOf(route))
    }
  }

  knows(route: Route): boolean {
    let knows = this.#known.get(route)
    if (knows === undefined) {
      knows = !this.#unknown.has(operationOf(route))
      this.#known.set(route, knows)
    }
    return knows
  }

  /**
   * Turns an answer, and every object in it, into this version's shape. An object is turned before what it
   * embeds, so that a change always meets embedded objects in the newest shape.
   */
  show(world: World, answer: Json): Json {
    return this.#turns.size === 0 ? answer : (this.#turned(world, answer) as Json)
  }

  /** Turns the parameters of this version into the newest ones, in place, oldest change first. */
  accept(world: World, route: Route, fields: { [key: string]: Raw }): Given {
    const given = new Given(fields, world)
    if (this.#oldestFirst.length === 0) return given
    let operation = operationOf(route)
    for (const { parameters, accept, former } of this.#oldestFirst) {
      for (const path of parameters?.[operation] ?? []) given.refuse(path)
      accept?.[operation]?.(given)
      operation = former?.find((old) => old.route === route)?.becomes ?? operation
    }
    return given
  }

  /** What can be expanded. What an expansion brings in is turned as well. */
  expansions(newest: Expansions): Expansions {
    if (this.#since.length === 0) return newest
    let known = this.#expansions.get(newest)
    if (known === undefined) {
      known = this.#olderExpansions(newest)
      this.#expansions.set(newest, known)
    }
    return known
  }

  #olderExpansions(newest: Expansions): Expansions {
    const tables = new Map(Object.entries(newest).map(([object, fields]) => [object, { ...fields }]))
    for (const { expand = {} } of this.#since) {
      for (const [object, fields] of Object.entries(expand)) {
        const table = tables.get(object) ?? {}
        tables.set(object, table)
        for (const [field, how] of Object.entries(fields)) {
          if (how === null) delete table[field]
          else table[field] = how
        }
      }
    }
    for (const table of tables.values()) {
      for (const [field, how] of Object.entries(table)) {
        table[field] = (world, part, whole) => this.#turned(world, how(world, part, whole))
      }
    }
    return Object.fromEntries(tables)
  }

  #turned(world: World, value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((item) => this.#turned(world, item))
    let object = value as Json
    // An event was rendered when it was made, in its own version.
    if (object.object === 'event' || isStub(object)) return object
    for (const turn of this.#turns.get(object.object as string) ?? []) object = turned(world, object, turn)
    const total = (object as Counting)[TOTAL]
    const result: Json & Counting = total === undefined ? {} : { [TOTAL]: total }
    for (const name of Object.keys(object)) {
      // Metadata is the caller's, whatever it looks like.
      result[name] = name === 'metadata' ? object[name] : this.#turned(world, object[name])
    }
    return result
  }
}

function turned(world: World, newer: Json, { drop = [], give = {} }: Turn): Json {
  const older: Json = { ...newer }
  for (const field of drop) delete older[field]
  for (const field of Object.keys(give)) {
    const value = give[field]?.(newer as never, world)
    if (value === undefined) delete older[field]
    else older[field] = value
  }
  return older
}

/** `{ id, object, deleted: true }` is the same in every version. */
function isStub(object: Json): boolean {
  return object.deleted === true && Object.keys(object).length === 3
}

function operationOf({ method, path }: Route): string {
  return `${method} ${path}`
}

/** Operations that only older versions know; the server has them beside all others. */
export const formerRoutes: readonly Route[] = (changes as readonly VersionChange[]).flatMap(
  ({ former = [] }) => former.map(({ route }) => route),
)

const dialects = new Map<Version, Dialect>()

export function dialectOf(version: Version): Dialect {
  let dialect = dialects.get(version)
  if (dialect === undefined) {
    dialect = new Dialect(version)
    dialects.set(version, dialect)
  }
  return dialect
}
