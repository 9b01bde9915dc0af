import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '@lockstep/core/instant'
import { decide } from '@lockstep/core/observation'
import type { Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { API_VERSION } from '../provider/stripe/client.ts'
import { settleEvents, type WaitingEvent } from '../store/provider-events.ts'
import {
  confirmObject,
  markGone,
  noteEvent,
  type ObjectKey,
  type SeenObject,
} from '../store/provider-objects.ts'
import { admit, mayComeIn } from '../workflow/admit.ts'
import { type Look, type LookDeps, lookAt } from '../workflow/look.ts'
import { isOurs, type Observed, observe } from '../workflow/observe.ts'
import { lookingHandlerOf } from './handlers.ts'

/** The events of one object that wait. */
export interface Group extends ObjectKey {
  readonly type: Observed['type']
  readonly events: readonly WaitingEvent[]
}

/**
 * Brings one object up to date for all its waiting events, and settles them with what it writes. The newest
 * payload is taken where nothing can be newer; in every other case the object is fetched, once for all of them.
 */
export async function bringUpToDate(
  deps: LookDeps,
  group: Group,
  known: SeenObject | undefined,
): Promise<Look> {
  const { db, clock } = deps
  const { type, id, events } = group
  const at = clock.now()
  const all = events.map((event) => event.id)
  const newest = events.reduce((a, b) => (isNewer(b, a) ? b : a))
  const key = { type, id }

  // Our own look began after the last of them came: whatever they tell, it has seen.
  if (known?.ownSince && events.every(({ observation }) => observation < known.observation)) {
    await transaction(db, async (trx) => {
      await noteEvent(trx, key, newest.created)
      await settleEvents(trx, all, { state: 'processed', outcome: 'covered', at })
    })
    return { kind: 'stale' }
  }

  // Stripe made it of an object of this type; a thin event shows none.
  const payload = newest.payload.data?.object
  const how = { observation: newest.observation, eventCreated: newest.created }
  const observed =
    payload === undefined ? undefined : ({ ...how, type, object: payload, source: 'event' } as Observed)
  const isEnd = events.some((event) => lookingHandlerOf(event.type)?.isEnd)

  if (known && !isEnd && tellsWhatIsHeld(events, newest, known)) {
    const confirmed = await transaction(db, async (trx) => {
      const same = await confirmObject(trx, { ...key, ...how, raw: payload, at })
      if (same) await settleEvents(trx, all, { state: 'processed', outcome: 'confirmed', at })
      return same
    })
    if (confirmed) return { kind: 'stale' }
  }

  if (!known && observed) {
    if (!isEnd && newest.apiVersion === API_VERSION) await admit(deps, observed)
    if (isEnd && !(await isOurs(db, observed))) return neverOurs(deps, group, newest, at)
  }
  if (!isEnd && observed && mayApply(events, newest, known)) {
    const outcome = await observe(deps, observed, (trx, written) => settled(trx, all, written, 'applied', at))
    if (outcome.kind === 'applied' || outcome.kind === 'foreign') return outcome
  } else if (!known && observed && !mayComeIn(deps.provider, type) && !(await isOurs(db, observed))) {
    await settleEvents(db, all, { state: 'ignored', outcome: 'foreign', at })
    return { kind: 'foreign' }
  }

  const looked = await lookAt(
    deps,
    { ...key, eventCreated: newest.created },
    (outcome) => (trx) => settled(trx, all, outcome, 'fetched', at),
  )
  // A newer answer was recorded while this one was on its way.
  if (looked.kind === 'stale') await settleEvents(db, all, { state: 'processed', outcome: 'covered', at })
  if (looked.kind === 'subscriptionBehind' || looked.kind === 'incomplete') {
    throw new Error(`What ${type} ${id} belongs to cannot be seen.`)
  }
  return looked
}

/** Gone before anything was made of it. Where it might have been, that is written down: what is told late of it comes to nothing. */
async function neverOurs(
  { db, provider }: LookDeps,
  { type, id, events }: Group,
  { observation }: WaitingEvent,
  at: Instant,
): Promise<Look> {
  await transaction(db, async (trx) => {
    if (mayComeIn(provider, type)) await markGone(trx, { type, id }, observation, at)
    const ids = events.map((event) => event.id)
    await settleEvents(trx, ids, { state: 'ignored', outcome: 'foreign', at })
  })
  return { kind: 'foreign' }
}

/** By the provider's time; of one second, the one that came later. */
function isNewer(a: WaitingEvent, b: WaitingEvent): boolean {
  return a.created === b.created ? a.observation > b.observation : a.created > b.created
}

/**
 * The newest event says what we hold; so does every other one of its second, of which nobody knows which came last.
 */
function tellsWhatIsHeld(
  events: readonly WaitingEvent[],
  newest: WaitingEvent,
  { raw }: SeenObject,
): boolean {
  return events
    .filter(({ created }) => created === newest.created)
    .every(
      ({ apiVersion, payload }) => apiVersion === API_VERSION && isDeepStrictEqual(payload.data?.object, raw),
    )
}

function mayApply(
  events: readonly WaitingEvent[],
  newest: WaitingEvent,
  known: SeenObject | undefined,
): boolean {
  const tied = events.some(({ id, created }) => id !== newest.id && created === newest.created)
  return (
    !tied &&
    decide({
      eventCreated: newest.created,
      lastEventCreated: known?.lastEventCreated ?? null,
      ownSince: known?.ownSince ?? false,
      terminal: known?.gone ?? false,
      otherVersion: newest.apiVersion !== API_VERSION,
    }) === 'apply'
  )
}

async function settled(
  trx: Trx,
  ids: readonly string[],
  { kind }: Look,
  how: 'applied' | 'fetched',
  at: Instant,
): Promise<void> {
  const state = kind === 'foreign' ? 'ignored' : 'processed'
  await settleEvents(trx, ids, { state, outcome: kind === 'applied' ? how : kind, at })
}
