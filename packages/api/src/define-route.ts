import type { ProblemCode } from '@lockstep/core/problem'
import type { z } from 'zod'
import type { Callers } from './callers.ts'
import { cursorOf, page } from './pagination.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** One route of the HTTP contract. The service serves it, the SDK calls it, the docs show it. */
export interface RouteDefinition {
  /** `operationId` of the OpenAPI document: `createRegistration`. */
  readonly id: string
  readonly method: Method
  /** Parameters as `:name`: `/v1/customers/:id`. */
  readonly path: string
  /** Who may call it. There is no default: a route that names nobody does not compile. */
  readonly callers: Callers
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** What the body may be sent as; `application/json` unless said. */
  readonly consumes?: readonly string[]
  /** The body reaches the handler as the bytes that were sent, because a signature covers them. */
  readonly rawBody?: boolean
  /** What the answers of each status carry. Problems are not listed here: any route may answer one. */
  readonly answers: Readonly<Record<number, z.ZodType>>
  /** The media type of an answer that is not JSON. */
  readonly produces?: string
  /** The refusals a caller should be ready for, beside those that every route may give. */
  readonly problems?: readonly ProblemCode[]
  /** Takes an `Idempotency-Key`. Every POST does, unless what it takes in has an identity of its own. */
  readonly idempotent?: boolean
  /** Most bytes a body may have; 1 MB unless said. */
  readonly bodyLimit?: number
}

export type Route<R extends RouteDefinition = RouteDefinition> = R & { readonly idempotent: boolean }

/**
 * Defines a route. Handlers and clients take their types from it:
 *
 * ```ts
 * export const readPlan = defineRoute({
 *   id: 'readPlan', method: 'GET', path: '/v1/plans/:key', callers: { key: 'catalog:read' },
 *   summary: 'One plan', tags: ['Plans'], params: z.strictObject({ key }), answers: { 200: plan },
 * })
 * ```
 */
export function defineRoute<const R extends RouteDefinition>(route: R): Route<R> {
  return { ...route, ...withCursor(route), idempotent: route.idempotent ?? route.method === 'POST' }
}

/** A cursor that its list never gave out is refused, and not read as some place in it. */
function withCursor({ id, query, answers }: RouteDefinition): Pick<RouteDefinition, 'query'> {
  if (query?.shape.after !== page.after) return {}
  const after = cursorOf(answers[200])
  if (after === undefined) throw new Error(`${id} is a list and does not say what its cursor looks like.`)
  return { query: query.extend({ after }) }
}

type Read<S> = S extends z.ZodType ? z.output<S> : undefined
type Written<S> = S extends z.ZodType ? z.input<S> : undefined
type Part<R, K extends string> = R extends Readonly<Record<K, infer S>> ? S : undefined

/** What a handler gets: parsed, defaults filled in. */
export type Params<R> = Read<Part<R, 'params'>>
export type Query<R> = Read<Part<R, 'query'>>
export type Body<R> = Read<Part<R, 'body'>>

/** What a caller gives: defaults may be left out. */
export type ParamsInput<R> = Written<Part<R, 'params'>>
export type QueryInput<R> = Written<Part<R, 'query'>>
export type BodyInput<R> = Written<Part<R, 'body'>>

/** Every answer of a route, with its status: what a handler may reply. */
export type Reply<R extends Pick<RouteDefinition, 'answers'>> = {
  [S in keyof R['answers']]: { readonly status: S; readonly body: Read<R['answers'][S]> }
}[keyof R['answers']]

/** The bodies of a route's answers, whatever their status. */
export type Answer<R extends Pick<RouteDefinition, 'answers'>> = Reply<R>['body']
