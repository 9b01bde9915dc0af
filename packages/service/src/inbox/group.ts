import type { Instant } from '@lockstep/core/instant'
import { decide } from '@lockstep/core/observation'
import type { Db, Trx } from '../postgres/connect.ts'
import { API_VERSION } from '../provider/stripe/client.ts'
import { settleEvents, type WaitingEvent } from '../store/provider-events.ts'
import type { KnownObject, ObjectKey } from '../store/provider-objects.ts'
import type { Look } from '../workflow/look.ts'
import type { Observed } from '../workflow/observe.ts'
import { lookingHandlerOf } from './handlers.ts'

/** The events of one object that wait. */
export interface Group extends ObjectKey {
  readonly type: Observed['type']
  readonly events: readonly WaitingEvent[]
  /** Of all that is known of the newest second, what came last, where it tells that (`in-order.ts`). */
  readonly last?: LastOfSecond
}

export interface LastOfSecond {
  /** Perhaps one that was processed before. */
  readonly event: WaitingEvent
  /** How many events of that second the order was told by. */
  readonly ofSecond: number
  /** It shows what we hold. */
  readonly isHeld: boolean
}

/** By the provider's time; of one second, the one that came last, or the one that was heard of later if nobody knows. */
export function newestOf({ events, last }: Group): WaitingEvent {
  return last?.event ?? events.reduce((a, b) => (isNewer(b, a) ? b : a))
}

function isNewer(a: WaitingEvent, b: WaitingEvent): boolean {
  return a.created === b.created ? a.observation > b.observation : a.created > b.created
}

/** What the newest event shows. Undefined of one that only names its object: a thin one, or one that shows another. */
export function shownBy(group: Group): (Observed & { readonly source: 'event' }) | undefined {
  const newest = newestOf(group)
  const { id: eventId, created: eventCreated, observation, payload } = newest
  const object = payload.data?.object
  if (!showsIt(newest)) return undefined
  const how = { source: 'event', eventId, eventCreated, observation, ofSecond: group.last?.ofSecond } as const
  // Stripe made it of an object of this type.
  return { ...how, type: group.type, object } as Observed & { readonly source: 'event' }
}

export function showsIt({ type, payload }: WaitingEvent): boolean {
  return payload.data?.object !== undefined && lookingHandlerOf(type)?.idIn === undefined
}

/** What the waiting events of an object come to, by what is known of it. */
export type Way =
  /** Our own look began after the last of them came: whatever they tell, it has seen. */
  | 'covered'
  /** They tell what we hold. */
  | 'confirmed'
  /** Nothing can be newer than the newest payload. */
  | 'applied'
  /** The object has to be fetched. */
  | 'fetched'

export function wayOf(group: Group, known: KnownObject | undefined): Way {
  const newest = newestOf(group)
  if (known?.ownSince && group.events.every(({ observation }) => observation < known.observation)) {
    return 'covered'
  }
  if (isEnd(group) || !showsIt(newest)) return 'fetched'
  if (known && tellsWhatIsHeld(group, known)) return 'confirmed'
  return mayApply(group, newest, known) ? 'applied' : 'fetched'
}

/** The object is no more: what a payload shows is what it was. */
export function isEnd({ events }: Group): boolean {
  return events.some(({ type }) => lookingHandlerOf(type)?.isEnd)
}

/**
 * The newest event says what we hold; so does every other one of its second, where nobody knows which came last.
 */
function tellsWhatIsHeld(group: Group, { shownBy }: KnownObject): boolean {
  const { created } = newestOf(group)
  return (
    group.events.every((event) => event.created !== created || !lookingHandlerOf(event.type)?.tellsMore) &&
    lastOf(group).every(
      ({ id, apiVersion }) => apiVersion === API_VERSION && (group.last?.isHeld ?? shownBy.has(id)),
    )
  )
}

/** The newest event, and all others of its second if nobody knows their order. */
export function lastOf(group: Group): WaitingEvent[] {
  if (group.last) return [group.last.event]
  const { created } = newestOf(group)
  return group.events.filter((event) => event.created === created)
}

function mayApply({ events, last }: Group, newest: WaitingEvent, known: KnownObject | undefined): boolean {
  const tied = !last && events.some(({ id, created }) => id !== newest.id && created === newest.created)
  return (
    !tied &&
    decide({
      eventCreated: newest.created,
      lastEventCreated: known?.lastEventCreated ?? null,
      isLastOfSecond: last !== undefined,
      ownSince: known?.ownSince ?? false,
      terminal: known?.gone ?? false,
      otherVersion: newest.apiVersion !== API_VERSION,
    }) === 'apply'
  )
}

/** Settles the events of a group with what was written of their object, in the same transaction. */
export function settle(db: Db | Trx, group: Group, outcome: string, at: Instant): Promise<void> {
  const state = outcome === 'foreign' ? 'ignored' : 'processed'
  return settleEvents(
    db,
    group.events.map(({ id }) => id),
    { state, outcome, at },
  )
}

/** The word for how a look at them ended; `how` where something was written down. */
export const wordFor = ({ kind }: Look, how: Way): string => (kind === 'applied' ? how : kind)
