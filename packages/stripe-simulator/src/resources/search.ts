import { invalid } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { get } from '../http/route.ts'
import { integer, type Kind, required, shape, text } from '../http/schema.ts'
import type { Json } from '../rows.ts'
import { type Clause, checkClause, parseQuery, type SearchQuery, satisfies } from '../rules/search-query.ts'
import type { World } from '../world.ts'
import { fieldOf, type Searchable } from './search-fields.ts'

const MOST = 100

/** Refused where a list takes the nearest: github.com/crvouga/mockingbird, packages/service/stripe/src/search.ts. */
const limit: Kind<number> = {
  parse(raw, path) {
    const value = integer({ min: 1 }).parse(raw, path)
    if (value <= MOST) return value
    throw invalid(
      `This value must be less than or equal to ${MOST} (it currently is '${value}').`,
      path,
      'parameter_invalid_integer',
    )
  },
}

/** How many matches the search has that is being answered: an answer is made in one go, its expansion included. */
const totals = new WeakMap<World, number>()

/**
 * Search shows the world as it was `searchDelaySeconds` ago: "Don't use search for read-after-write flows".
 * https://docs.stripe.com/search#data-freshness
 */
export const searchRoutes = [
  searchRoute('charges', (world) => world.charges.searchable()),
  searchRoute('customers', (world) => world.customers.searchable().filter((row) => !row.own.deleted)),
  searchRoute('invoices', (world) => world.invoices.searchable()),
  searchRoute('payment_intents', (world) => world.paymentIntents.searchable()),
  searchRoute('prices', (world) => world.prices.searchable().filter((row) => row.own.ofAmount !== true)),
  searchRoute('products', (world) =>
    world.products.searchable().filter((row) => !row.own.inline && row.own.deleted !== true),
  ),
  searchRoute('subscriptions', (world) => world.subscriptions.searchable()),
]

interface Found {
  readonly id: string
  readonly object: string
}

function searchRoute(resource: Searchable, rowsOf: (world: World) => readonly Found[]) {
  const url = `/v1/${resource}/search`
  return get(url, shape({ query: required(text()), limit, page: text() }), ({ world, params }) => {
    const query = parseQuery(params.query)
    for (const clause of query.clauses) checkField(resource, clause)
    const matches = rowsOf(world)
      .map((row) => world.render(row))
      .filter((shown) => isMatch(resource, query, shown))
      .reverse()
    totals.set(world, matches.length)
    const start = params.page === undefined ? 0 : startOf(params.page, params.query, matches)
    const end = start + (params.limit ?? 10)
    const more = end < matches.length
    return {
      object: 'search_result',
      data: matches.slice(start, end),
      has_more: more,
      next_page: more ? pageAfter(matches[end - 1] as Json, params.query) : null,
      url,
    }
  })
}

export const searchExpansions: Expansions = {
  search_result: { total_count: (world) => totals.get(world) },
}

function checkField(resource: Searchable, clause: Clause): void {
  const field = fieldOf(resource, clause.field)
  if (field === undefined || (clause.field === 'metadata') !== (clause.key !== null)) {
    throw invalid(
      `Field \`${clause.field}\` is an unsupported search field for resource \`${resource}\`. See http://stripe.com/docs/search#query-fields-for-${resource.replaceAll('_', '-')} for a list of supported fields.`,
    )
  }
  checkClause(clause, field.type)
}

function isMatch(resource: Searchable, { joined, clauses }: SearchQuery, shown: Json): boolean {
  const matches = (clause: Clause) => {
    const { type = 'token', path = '' } = fieldOf(resource, clause.field) ?? {}
    const value = valueAt(shown, path)
    return satisfies(clause, type, clause.key === null ? value : (value as Json | null)?.[clause.key])
  }
  return joined === 'AND' ? clauses.every(matches) : clauses.some(matches)
}

function valueAt(shown: Json, path: string): unknown {
  return path.split('.').reduce<unknown>((at, step) => (at as Json | null | undefined)?.[step], shown)
}

/** A page is named by the object before it and the query that it belongs to. */
function pageAfter(last: Json, query: string): string {
  return Buffer.from(JSON.stringify([last.id, query])).toString('base64url')
}

function startOf(page: string, query: string, matches: readonly Json[]): number {
  const [id, asked] = readPage(page)
  const at = asked === query ? matches.findIndex((shown) => shown.id === id) : -1
  // The refusal names the token, not the parameter.
  if (at < 0) throw invalid(`${elided(page)} is an invalid page.`, page)
  return at + 1
}

function elided(token: string): string {
  return token.length > 1000 ? `${token.slice(0, 100)}...${token.slice(-100)}` : token
}

function readPage(page: string): [id: unknown, query: unknown] {
  try {
    const read: unknown = JSON.parse(Buffer.from(page, 'base64url').toString())
    return Array.isArray(read) ? [read[0], read[1]] : [undefined, undefined]
  } catch {
    // Not one of ours: refused like one of another query.
    return [undefined, undefined]
  }
}
