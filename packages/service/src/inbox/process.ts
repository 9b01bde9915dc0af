import { assert } from '@lockstep/core/assert'
import { Problem } from '@lockstep/core/problem'
import { passes } from '../passing.ts'
import { type Claim, newHands } from '../postgres/presence.ts'
import { transaction } from '../postgres/transaction.ts'
import { someAtOnce } from '../some-at-once.ts'
import { problemIn } from '../store/events-expired.ts'
import {
  type ClaimedEvent,
  claimEvents,
  claimEventsOf,
  failEvents,
  settleEvents,
  type WaitingEvent,
} from '../store/provider-events.ts'
import { type KnownObject, readKnown } from '../store/provider-objects.ts'
import { isStillUnmapped, NEEDS_MAPPING } from '../store/unmapped-events.ts'
import type { LookDeps } from '../workflow/look.ts'
import type { Observed } from '../workflow/observe.ts'
import { syncSubscription } from '../workflow/sync-invoice.ts'
import { belongTo } from './belongs-to.ts'
import { bringManyUpToDate } from './bring-many-up-to-date.ts'
import { bringUpToDate } from './bring-up-to-date.ts'
import { withPayloads } from './fresh-payloads.ts'
import { type Group, lastOf } from './group.ts'
import { accountOf, lookingHandlerOf, setAside } from './handlers.ts'
import { inOrder } from './in-order.ts'

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
export function drainInbox(deps: InboxDeps): Promise<number> {
  return drainUntil(deps, (events) => events === 0)
}

/** One round of the worker: processes what waits, but leaves what comes meanwhile to the next one, so that more of it comes together. */
export function drainRound(deps: InboxDeps): Promise<number> {
  return drainUntil(deps, (events) => events < BATCH)
}

async function drainUntil(deps: InboxDeps, isLast: (events: number) => boolean): Promise<number> {
  for (let total = 0; ; ) {
    const events = await drainBatch(deps)
    total += events
    if (isLast(events)) return total
  }
}

const inHand = newHands()

function drainBatch(deps: InboxDeps): Promise<number> {
  return inHand(async (claim) => {
    const wanted = { now: deps.clock.now(), limit: BATCH, seconds: CLAIM_SECONDS }
    const events = await transaction(deps.db, (trx) => claimEvents(trx, wanted, claim))
    await processBatch(deps, await ignoreOthers(deps, events), claim)
    return events.length
  })
}

/** Sets aside what was put back by hand although there is nothing to do about it. */
async function ignoreOthers(
  { db, clock, provider }: InboxDeps,
  claimed: readonly ClaimedEvent[],
): Promise<WaitingEvent[]> {
  const events = await withPayloads(db, claimed)
  const ours: WaitingEvent[] = []
  for (const event of events) {
    const aside = setAside({ ...event, account: accountOf(event.payload) }, provider)
    if (aside === null) ours.push(event)
    else await settleEvents(db, [event.id], { ...aside, at: clock.now() })
  }
  return ours
}

async function processBatch(deps: InboxDeps, events: readonly WaitingEvent[], claim: Claim): Promise<void> {
  const waiting = groupByObject(events)
  const seen = await readKnown(
    deps.db,
    waiting.map((group) => ({ ...group, eventIds: lastOf(group).map(({ id }) => id) })),
  )
  const known = ({ type, id }: Group) => seen.get(`${type} ${id}`)
  const groups = await inOrder(deps.db, waiting, known)
  const toSync = new Set<string>()
  const work = async (group: Group) => {
    const subscription = await processObject(deps, group, known(group))
    if (subscription !== undefined) toSync.add(subscription)
  }
  for (const type of ORDER) {
    const ofType = groups.filter((group) => group.type === type)
    await processBefore(
      deps,
      ofType.filter((group) => known(group) === undefined),
      groups,
      claim,
    )
    const { done, left } = await bringManyUpToDate(deps, ofType, known)
    for (const { syncSubscription } of done) if (syncSubscription !== undefined) toSync.add(syncSubscription)
    await someAtOnce(left, AT_ONCE, work)
  }
  // A draft is open for an hour: its lines are sent now. Should that fail, the next minute's job sends them.
  await someAtOnce([...toSync], AT_ONCE, async (subscriptionId) => {
    await syncSubscription(deps, subscriptionId, { reason: 'draft' }).catch((error: unknown) =>
      deps.log.warn({ err: error, subscription: subscriptionId }, 'A closing invoice was not sent yet.'),
    )
  })
}

/**
 * What these are the first to be heard of, and what they belong to may wait in the inbox too: came later, or stands behind
 * more than one round looks through. It goes first, and so it need not be fetched.
 */
async function processBefore(
  deps: InboxDeps,
  unseen: readonly Group[],
  inHand: readonly Group[],
  claim: Claim,
): Promise<void> {
  const inRound = new Set(inHand.map(({ type, id }) => `${type} ${id}`))
  const others = belongTo(unseen).filter(({ type, id }) => !inRound.has(`${type} ${id}`))
  if (others.length === 0) return
  const wanted = { now: deps.clock.now(), seconds: CLAIM_SECONDS }
  const events = await transaction(deps.db, (trx) => claimEventsOf(trx, others, wanted, claim))
  if (events.length > 0) await processBatch(deps, await ignoreOthers(deps, events), claim)
}

function groupByObject(events: readonly WaitingEvent[]): Group[] {
  const groups = new Map<string, WaitingEvent[]>()
  for (const event of events) {
    const key = `${event.objectType} ${event.objectId}`
    groups.set(key, [...(groups.get(key) ?? []), event])
  }
  return [...groups.values()].map((of) => {
    const [first] = of
    const handler = first && lookingHandlerOf(first.type)
    assert(first && handler, 'only events with a handler wait')
    return { type: handler.observes, id: first.objectId, events: of }
  })
}

/**
 * Kinds, one after the other. What time it is comes before what happened: the rest is written down at that time. Of the
 * others any order is right; in this one, fewer objects have to be looked up. None may be missing: it would wait for ever.
 */
const order: Readonly<Record<Observed['type'], true>> = {
  test_clock: true,
  product: true,
  price: true,
  coupon: true,
  promotion_code: true,
  customer: true,
  subscription: true,
  subscription_schedule: true,
  invoiceitem: true,
  invoice: true,
  credit_note: true,
  refund: true,
  dispute: true,
  checkout_session: true,
}
const ORDER = Object.keys(order)

/** Brings one object up to date for all its waiting events. What breaks here breaks nobody else's. */
async function processObject(
  deps: InboxDeps,
  group: Group,
  known: KnownObject | undefined,
): Promise<string | undefined> {
  try {
    const outcome = await bringUpToDate(deps, group, known)
    return outcome.kind === 'applied' ? outcome.syncSubscription : undefined
  } catch (error) {
    await fail(deps, group, error)
    return undefined
  }
}

/** What no second try changes: usage that would be billed twice, a price that cannot be read. */
const asksAPerson: ReadonlySet<string> = new Set([
  'coupon_unreadable',
  'meter_billed_already',
  'price_unreadable',
])

/**
 * Tried again later, longer each time; what is our own fault is given up in the end and left for a person. What
 * lacks a link is left for a person at once, and goes on as soon as that one has linked it; so is what
 * {@link asksAPerson}, until that one has it tried again.
 */
async function fail(deps: InboxDeps, { type, id, events }: Group, error: unknown): Promise<void> {
  const { db, clock, log } = deps
  const tries = Math.max(...events.map(({ attempts }) => attempts)) + 1
  const at = clock.now()
  const problem =
    problemIn(error) ?? new Problem('internal_error', `Something broke; the log has it under ${id}.`)
  const lacksLink = problem.code === 'mapping_needed'
  const needsPerson = lacksLink || asksAPerson.has(problem.code)
  const givenUp = needsPerson || (tries >= MOST_TRIES && !passes(error))
  log[givenUp ? 'error' : 'warn']({ err: error, type, object: id, tries }, 'An event could not be processed.')
  const wait = problem.retryAfterSeconds ?? Math.min(LONGEST_WAIT_SECONDS, 2 ** Math.min(tries, 10))
  await transaction(db, async (trx) => {
    const isParked = givenUp && (!lacksLink || (await isStillUnmapped(trx, deps.provider, problem)))
    await failEvents(
      trx,
      events.map((event) => event.id),
      {
        problem: {
          ...{ code: problem.code, title: problem.title, detail: problem.detail },
          ...(lacksLink && { missing: problem.members.missing }),
        },
        nextAttemptAt: isParked ? null : givenUp ? at : at + wait,
        ...(lacksLink ? { outcome: NEEDS_MAPPING } : {}),
        at,
      },
    )
  })
}
