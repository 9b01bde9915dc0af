import type { Route } from './route.ts'

/** What follows a segment of a path. */
interface Node {
  readonly literals: Map<string, Node>
  /** Any one segment, whatever a route calls it. */
  named: Node | undefined
  /** By method: the routes that end here. */
  readonly ends: Map<string, End>
}

interface End {
  readonly route: Route
  /** What the route calls its named segments, in order. */
  readonly names: readonly string[]
}

export interface Found {
  readonly route: Route
  /** The named segments of the path. */
  readonly segments: Readonly<Record<string, string>>
}

/** Finds the route of a request, segment by segment. A literal goes before a name: `/v1/customers/search` is no customer. */
export class RouteTree {
  readonly #root = newNode()

  constructor(routes: Iterable<Route>) {
    for (const route of routes) this.#add(route)
  }

  find(method: string, path: string): Found | undefined {
    const values: string[] = []
    const end = endOf(this.#root, path, 1, method, values)
    if (end === undefined) return undefined
    const segments: Record<string, string> = {}
    for (let i = 0; i < values.length; i++) segments[end.names[i] as string] = decoded(values[i] as string)
    return { route: end.route, segments }
  }

  #add(route: Route): void {
    const names: string[] = []
    let node = this.#root
    for (const segment of route.path.slice(1).split('/')) {
      if (segment.startsWith(':')) {
        names.push(segment.slice(1))
        node.named ??= newNode()
        node = node.named
      } else {
        const next = node.literals.get(segment) ?? newNode()
        node.literals.set(segment, next)
        node = next
      }
    }
    node.ends.set(route.method, { route, names })
  }
}

function newNode(): Node {
  return { literals: new Map(), named: undefined, ends: new Map() }
}

/** Where the path leads from `from` on; `values` gets its named segments. */
function endOf(node: Node, path: string, from: number, method: string, values: string[]): End | undefined {
  if (from > path.length) return node.ends.get(method)
  const slash = path.indexOf('/', from)
  const to = slash < 0 ? path.length : slash
  const segment = path.slice(from, to)
  const literal = node.literals.get(segment)
  const end = literal && endOf(literal, path, to + 1, method, values)
  if (end !== undefined || node.named === undefined || segment === '') return end
  values.push(segment)
  const named = endOf(node.named, path, to + 1, method, values)
  if (named === undefined) values.pop()
  return named
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    // No id is called that, and so it is answered.
    return segment
  }
}
