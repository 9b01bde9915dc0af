import type { Answer, BodyInput, ParamsInput, QueryInput, Route } from '@lockstep/api/define-route'
import { ConnectionError, problemOf } from './problem-error.ts'
import { type RetryOptions, withRetry } from './retry.ts'

/** How the client reaches the service. */
export interface Connection {
  readonly baseUrl: string
  readonly apiKey: string | undefined
  readonly fetch: typeof fetch
  /** For one try, not for all of them together. */
  readonly timeoutSeconds: number
  readonly retry: RetryOptions
}

export interface CallOptions {
  /** Made up unless given. Give your own to make the same request safe over restarts of yours. */
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
  /** What the body is, of what the route takes; the last of that unless given. */
  readonly contentType?: string
}

type Field<K extends string, T> = [T] extends [undefined]
  ? { readonly [P in K]?: undefined }
  : object extends T
    ? { readonly [P in K]?: T }
    : { readonly [P in K]: T }

/** What a route takes. Parts that it does not have, or whose fields are all optional, may be left out. */
export type CallInput<R> = Field<'params', ParamsInput<R>> &
  Field<'query', QueryInput<R>> &
  Field<'body', BodyInput<R>>

/** Calls any route of the contract. The namespaces of the client are this, with the route filled in. */
export async function call<R extends Route>(
  connection: Connection,
  route: R,
  input: CallInput<R>,
  options: CallOptions = {},
): Promise<Answer<R>> {
  const { params, query, body } = input as { params?: Fields; query?: Fields; body?: unknown }
  const path = fillIn(route.path, params) + queryString(query)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (connection.apiKey) headers.authorization = `Bearer ${connection.apiKey}`
  if (body !== undefined)
    headers['content-type'] = options.contentType ?? route.consumes?.at(-1) ?? 'application/json'
  // Made once, before the first try: all tries are one request.
  if (route.idempotent) headers['idempotency-key'] = options.idempotencyKey ?? newKey()
  const request: RequestInit = { method: route.method, headers }
  if (body !== undefined) request.body = JSON.stringify(body)
  return withRetry(connection.retry, options.signal, () =>
    guarded(connection, path, options.signal, async (signal) => {
      const response = await connection.fetch(connection.baseUrl + path, { ...request, signal })
      // A 503 may be an answer like any other: what `/readyz` finds out.
      if (!response.ok && !(response.status in route.answers)) throw await problemOf(response, path)
      return (await contentOf(response)) as Answer<R>
    }),
  )
}

/** JSON as what it says, text as text, and everything else as the bytes it is. */
async function contentOf(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('json')) return response.json()
  return type.startsWith('text/') ? response.text() : new Uint8Array(await response.arrayBuffer())
}

type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** One try: ends in time, and tells a broken network from everything else that can go wrong. */
async function guarded<T>(
  { baseUrl, timeoutSeconds }: Connection,
  path: string,
  signal: AbortSignal | undefined,
  exchange: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000)
  try {
    return await exchange(signal ? AbortSignal.any([signal, timeout]) : timeout)
  } catch (error) {
    if (signal?.aborted || !isNetworkFault(error)) throw error
    if (timeout.aborted) {
      throw new ConnectionError('timeout', `No answer of ${baseUrl}${path} in ${timeoutSeconds} s.`, error)
    }
    throw new ConnectionError('unreachable', `Cannot reach ${baseUrl}: ${reasonOf(error)}`, error)
  }
}

/** `fetch` throws a TypeError when the network fails, a DOMException when the signal ends it. */
function isNetworkFault(error: unknown): boolean {
  return error instanceof TypeError || error instanceof DOMException
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && cause.message) return cause.message
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error instanceof Error ? error.message : String(error)
}

function fillIn(path: string, params: Fields = {}): string {
  return path.replace(/:(\w+)/g, (_, name: string) => {
    const value = params[name]
    // An empty one would make another address of it: `/v1/customers/`.
    if (value === undefined || value === '') throw new TypeError(`${path} needs ${name}`)
    return encodeURIComponent(value)
  })
}

function queryString(query: Fields = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  return search.size === 0 ? '' : `?${search}`
}

/** 128 random bits. Not `randomUUID`: browsers keep that from pages served over plain HTTP. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
