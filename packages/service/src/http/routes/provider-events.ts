import * as api from '@lockstep/api/provider-events'
import { readingScopes } from '@lockstep/api/scopes'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Bell } from '../../bell.ts'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import { planReplay, replayEvents } from '../../store/event-replays.ts'
import { listEvents, readEvent, requeueEvent } from '../../store/provider-events.ts'
import type { Row } from '../../store/schema.ts'
import { holds } from '../caller.ts'
import { readInstantIfGiven } from '../read-instant.ts'
import { type App, route } from '../route.ts'
import { problemToApi } from './invoice-to-api.ts'

interface ProviderEventParts {
  readonly db: Db
  readonly clock: Clock
  readonly bell: Bell
}

/** The audit trail of what providers sent, and the way to have one event looked at again. */
export function providerEventRoutes(app: App, { db, clock, bell }: ProviderEventParts): void {
  route(
    app,
    api.listProviderEvents,
  )(async ({ query }) => {
    const { receivedFrom, receivedBefore, ...filter } = query
    const rows = await listEvents(db, {
      ...filter,
      ...within({ receivedFrom, receivedBefore }),
      after: readCursor(query.after),
    })
    const data = rows.slice(0, query.limit)
    const hasMore = rows.length > query.limit
    const last = data.at(-1)
    return {
      status: 200,
      body: { data: data.map(eventToApi), hasMore, nextCursor: hasMore && last ? cursorOf(last) : null },
    }
  })

  route(
    app,
    api.readProviderEvent,
  )(async ({ params, caller }) => {
    const event = await readEvent(db, params.id)
    if (!event) throw notFound(params.id)
    const mayRead = readingScopes.every((scope) => holds(caller, scope))
    const payload = mayRead ? (event.payload as Record<string, unknown>) : null
    return { status: 200, body: { ...eventToApi(event), payload } }
  })

  route(
    app,
    api.retryProviderEvent,
  )(async ({ params }) => {
    const event = await requeueEvent(db, params.id, clock.now())
    if (!event) throw notFound(params.id)
    bell.emit('inbox')
    return { status: 202, body: eventToApi(event) }
  })

  route(
    app,
    api.replayProviderEvents,
  )(async ({ body: { dryRun, receivedFrom, receivedBefore, ...named } }) => {
    const filter = { ...named, ...within({ receivedFrom, receivedBefore }) }
    if (dryRun) return { status: 200, body: { dryRun, ...(await planReplay(db, filter)) } }
    const replayed = await replayEvents(db, filter, clock.now())
    bell.emit('inbox')
    return { status: 200, body: { dryRun, ...replayed } }
  })
}

/** Moments as a caller wrote them; the door has seen that they are some. */
function within({ receivedFrom, receivedBefore }: Within) {
  return {
    receivedFrom: readInstantIfGiven(receivedFrom),
    receivedBefore: readInstantIfGiven(receivedBefore),
  }
}

interface Within {
  readonly receivedFrom?: string | undefined
  readonly receivedBefore?: string | undefined
}

const notFound = (id: string) => new Problem('provider_event_not_found', `There is no event ${id}.`)

function eventToApi(event: Row<'providerEvent'>) {
  const { id, type, objectType, objectId, state, outcome, attempts, problem, processedAt } = event
  return {
    id,
    provider: 'stripe' as const,
    type,
    objectType,
    objectId,
    created: formatInstant(event.created),
    state,
    outcome,
    attempts,
    problem: problemToApi(problem),
    receivedAt: formatInstant(event.receivedAt),
    processedAt: processedAt === null ? null : formatInstant(processedAt),
  }
}

// Stripe's ids do not sort by time, so a cursor carries the time too.
const cursorOf = ({ receivedAt, id }: Row<'providerEvent'>) => `${receivedAt}.${id}`

function readCursor(cursor: string | undefined) {
  if (cursor === undefined) return undefined
  const [receivedAt = '', ...id] = cursor.split('.')
  return { receivedAt: Number(receivedAt), id: id.join('.') }
}
