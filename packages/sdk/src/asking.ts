import type { Answer, BodyInput, QueryInput, Route } from '@lockstep/api/define-route'
import { type CallInput, type CallOptions, type Connection, call } from './call.ts'
import { type List, listOf, type Page } from './list.ts'

/** The two ways in which every method of the client asks the service. */
export type Asking = ReturnType<typeof askingOver>

/** What the pages of a listing route hold. */
export type ItemOf<R extends Route> = Answer<R> extends { data: (infer T)[] } ? T : never

/** A deed names the amount that its preview showed. */
export type NamedAmount<R extends Route> = BodyInput<R> & { readonly amount: string }

export function askingOver(connection: Connection) {
  const ask = <R extends Route>(route: R, input: CallInput<R>, more?: CallOptions) =>
    call(connection, route, input, more)

  function list<R extends Route>(route: R, query: QueryInput<R> | undefined): List<ItemOf<R>> {
    const given: { after?: string } = { ...(query as object | undefined) }
    const fetchPage = (after: string | undefined) =>
      ask(route, { query: { ...given, after } } as CallInput<R>) as Promise<Page<ItemOf<R>>>
    return listOf(fetchPage, given.after)
  }

  return { ask, list }
}
