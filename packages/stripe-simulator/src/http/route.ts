import type { Json } from '../rows.ts'
import type { World } from '../world.ts'
import { type Params, type Shape, shape } from './schema.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

interface Call<P> {
  readonly world: World
  readonly params: P
  /** A named segment of the path, `:id` by default. */
  path(name?: string): string
}

/** One operation of the API. The handler runs inside a transaction and answers with rendered JSON. */
export interface Route {
  readonly method: Method
  readonly path: string
  readonly params: Shape<never>
  readonly handle: (call: Call<never>) => Json
}

/**
 * How far an operation is followed. A: amounts, states, events, errors and times as at Stripe; B: every field
 * and event. What is in neither answers that it is missing (`http/gaps.ts`).
 */
export type Tier = 'A' | 'B'

export interface ServedRoute extends Route {
  readonly tier: Tier
}

export function inTier(tier: Tier, ...resources: (readonly Route[])[]): ServedRoute[] {
  return resources.flat().map((route) => ({ ...route, tier }))
}

type AnyFields = Parameters<typeof shape>[0]

function make(method: Method) {
  return function route<F extends AnyFields>(
    path: string,
    params: Shape<F>,
    handle: (call: Call<Params<F>>) => Json,
  ): Route {
    return { method, path, params: params as unknown as Shape<never>, handle: handle as Route['handle'] }
  }
}

export const get = make('GET')
export const post = make('POST')
export const del = make('DELETE')

/** For operations that take nothing but `expand`, which the server takes out before. */
export const nothing = shape({})
