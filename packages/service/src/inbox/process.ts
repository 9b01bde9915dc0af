import { isDeepStrictEqual } from 'node:util'
import { assert } from '@lockstep/core/assert'
import type { Instant } from '@lockstep/core/instant'
import { decide } from '@lockstep/core/observation'
import { Problem } from '@lockstep/core/problem'
import { passes } from '../passing.ts'
import type { Trx } from '../postgres/connect.ts'
import { newHands } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import { API_VERSION } from '../provider/stripe/client.ts'
import { claimEvents, failEvents, settleEvents, type WaitingEvent } from '../store/provider-events.ts'
import {
  confirmObject,
  noteEvent,
  type ObjectKey,
  readObjects,
  type SeenObject,
} from '../store/provider-objects.ts'
import { type Look, type LookDeps, lookAt } from '../workflow/look.ts'
import { isOurs, type Observed, observe } from '../workflow/observe.ts'
import { syncSubscription } from '../workflow/sync-invoice.ts'
import { handlerOf, whyIgnored } from './handlers.ts'

export type InboxDeps = LookDeps

/** Waiting events that one claim looks through. */
const BATCH = 200
/** Longer than all tries of one fetch: afterwards another worker may take over. */
const CLAIM_SECONDS = 120
/** Objects that are worked on at the same time. */
const AT_ONCE = 8

/** Tries of an event that breaks something. What passes by itself is tried for ever. */
const MOST_TRIES = 8
const LONGEST_WAIT_SECONDS = 300

/** Processes what waits until nothing more is due. Any number of processes may do so at once. */
export async function drainInbox(deps: InboxDeps): Promise<number> {
  for (let total = 0; ; ) {
    const events = await drainBatch(deps)
    if (events === 0) return total
    total += events
  }
}

const inHand = newHands()

function drainBatch(deps: InboxDeps): Promise<number> {
  return inHand(async (claim) => {
    const wanted = { now: deps.clock.now(), limit: BATCH, seconds: CLAIM_SECONDS }
    const events = await transaction(deps.db, (trx) => claimEvents(trx, wanted, claim))
    await processBatch(deps, await ignoreOthers(deps, events))
    return events.length
  })
}

interface Group extends ObjectKey {
  readonly type: Observed['type']
  readonly events: readonly WaitingEvent[]
}

/** Sets aside what was put back by hand although there is nothing to do about it. */
async function ignoreOthers(
  { db, clock, provider }: InboxDeps,
  events: readonly WaitingEvent[],
): Promise<WaitingEvent[]> {
  const ours: WaitingEvent[] = []
  for (const event of events) {
    const outcome = whyIgnored({ ...event, account: event.payload.account }, provider)
    if (outcome === null) ours.push(event)
    else await settleEvents(db, [event.id], { state: 'ignored', outcome, at: clock.now() })
  }
  return ours
}

async function processBatch(deps: InboxDeps, events: readonly WaitingEvent[]): Promise<void> {
  const groups = groupByObject(events)
  const known = await readObjects(deps.db, groups)
  const toSync = new Set<string>()
  const work = async (group: Group) => {
    const subscription = await processObject(deps, group, known.get(`${group.type} ${group.id}`))
    if (subscription !== undefined) toSync.add(subscription)
  }
  // What time it is comes before what happened: the rest is written down at that time.
  const isClock = ({ type }: Group) => type === 'test_clock'
  await someAtOnce(groups.filter(isClock), work)
  await someAtOnce(
    groups.filter((group) => !isClock(group)),
    work,
  )
  // A draft is open for an hour: its lines are sent now. Should that fail, the next minute's job sends them.
  await someAtOnce([...toSync], async (subscriptionId) => {
    await syncSubscription(deps, subscriptionId, { reason: 'draft' }).catch((error: unknown) =>
      deps.log.warn({ err: error, subscription: subscriptionId }, 'A closing invoice was not sent yet.'),
    )
  })
}

async function someAtOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = all.values()
  const worker = async () => {
    for (const one of queue) await work(one)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, all.length) }, worker))
}

function groupByObject(events: readonly WaitingEvent[]): Group[] {
  const groups = new Map<string, WaitingEvent[]>()
  for (const event of events) {
    const key = `${event.objectType} ${event.objectId}`
    groups.set(key, [...(groups.get(key) ?? []), event])
  }
  const found = [...groups.values()].map((of) => {
    const [first] = of
    const handler = first && handlerOf(first.type)
    assert(first && handler, 'only events with a handler wait')
    return { type: handler.observes, id: first.objectId, events: of }
  })
  return found.sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type))
}

/** Any order is right; in this one, fewer objects have to be looked up. */
const ORDER: readonly Observed['type'][] = [
  'test_clock',
  'customer',
  'subscription',
  'invoice',
  'credit_note',
  'refund',
  'checkout_session',
]

/** Brings one object up to date for all its waiting events. What breaks here breaks nobody else's. */
async function processObject(
  deps: InboxDeps,
  group: Group,
  known: SeenObject | undefined,
): Promise<string | undefined> {
  try {
    const outcome = await bringUpToDate(deps, group, known)
    return outcome.kind === 'applied' ? outcome.syncSubscription : undefined
  } catch (error) {
    await fail(deps, group, error)
    return undefined
  }
}

async function bringUpToDate(deps: InboxDeps, group: Group, known: SeenObject | undefined): Promise<Look> {
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

  const payload = newest.payload.data.object
  const isEnd = events.some((event) => handlerOf(event.type)?.isEnd)
  const how = { observation: newest.observation, eventCreated: newest.created }
  if (known && !isEnd && newest.apiVersion === API_VERSION && isDeepStrictEqual(payload, known.raw)) {
    const confirmed = await transaction(db, async (trx) => {
      const same = await confirmObject(trx, { ...key, ...how, raw: payload, at })
      if (same) await settleEvents(trx, all, { state: 'processed', outcome: 'confirmed', at })
      return same
    })
    if (confirmed) return { kind: 'stale' }
  }

  // Stripe made it of an object of this type.
  const observed = { ...how, type, object: payload, source: 'event' } as Observed
  if (!isEnd && mayApply(events, newest, known)) {
    const outcome = await observe(deps, observed, (trx, written) => settled(trx, all, written, 'applied', at))
    if (outcome.kind === 'applied' || outcome.kind === 'foreign') return outcome
  } else if (!known && !(await isOurs(db, observed))) {
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

/** By the provider's time; of one second, the one that came later. */
function isNewer(a: WaitingEvent, b: WaitingEvent): boolean {
  return a.created === b.created ? a.observation > b.observation : a.created > b.created
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

/** Tried again later, longer each time; what is our own fault is given up in the end and left for a person. */
async function fail(
  { db, clock, log }: InboxDeps,
  { type, id, events }: Group,
  error: unknown,
): Promise<void> {
  const tries = Math.max(...events.map(({ attempts }) => attempts)) + 1
  const at = clock.now()
  const givenUp = tries >= MOST_TRIES && !passes(error)
  const problem =
    error instanceof Problem
      ? error
      : new Problem('internal_error', `Something broke; the log has it under ${id}.`)
  log[givenUp ? 'error' : 'warn']({ err: error, type, object: id, tries }, 'An event could not be processed.')
  const wait = problem.retryAfterSeconds ?? Math.min(LONGEST_WAIT_SECONDS, 2 ** Math.min(tries, 10))
  await failEvents(
    db,
    events.map((event) => event.id),
    {
      problem: { code: problem.code, title: problem.title, detail: problem.detail },
      nextAttemptAt: givenUp ? null : at + wait,
      at,
    },
  )
}
