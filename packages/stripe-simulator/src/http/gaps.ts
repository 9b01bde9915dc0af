import { gap, StripeError } from '../errors.ts'
import { ofNamespaces } from './client-operations/namespaces.ts'
import { ofResources } from './client-operations/resources.ts'
import { ofV2 } from './client-operations/v2.ts'
import type { Method, Route } from './route.ts'
import type { Shape } from './schema.ts'

/** One method of the `stripe` package and the request it makes. */
export interface ClientOperation {
  /** As it is written after `stripe.`. */
  readonly name: string
  readonly method: string
  readonly path: string
}

/** What is missing is missing whatever it is asked with. */
const anything = { fields: {}, parse: () => ({}) } as unknown as Shape<never>

/** Tier C: a route for every operation that Stripe publishes and we do not serve. It names what is missing. */
export function gapRoutes(served: readonly Route[]): Route[] {
  const known = new Set(served.map(keyOf))
  return [ofResources, ofNamespaces, ofV2]
    .flatMap(parseOperations)
    .filter((operation) => !known.has(keyOf(operation)))
    .map(({ name, method, path }) => ({
      method: method as Method,
      path,
      params: anything,
      handle: () => {
        throw new StripeError(404, gap(`stripe.${name} (${method} ${path})`).body)
      },
    }))
}

/** Two routes are one when they differ only in what they call their ids. */
export function keyOf({ method, path }: { readonly method: string; readonly path: string }): string {
  return `${method} ${path.replace(/:\w+/g, ':')}`
}

function parseOperations(table: string): ClientOperation[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', method = '', path = ''] = line.split(' ')
      return { name, method, path }
    })
}
