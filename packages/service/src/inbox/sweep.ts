import { sweepWindow } from '@lockstep/core/event-sweep'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type Stripe from 'stripe'
import { passes } from '../passing.ts'
import { eventPages } from '../provider/stripe/events.ts'
import { knownEvents, lastSweep, recordSweep } from '../store/event-sweeps.ts'
import { productsWithUnreadPrices } from '../store/inbound-plans.ts'
import { stalledCustomers } from '../store/stalled-customers.ts'
import { readUnreadPrices } from '../workflow/admit/price.ts'
import { mayComeIn } from '../workflow/admit.ts'
import type { LookDeps } from '../workflow/look.ts'
import { type Relisting, relist, relistCustomer } from '../workflow/relist.ts'
import { handlerOf } from './handlers.ts'
import { store } from './receive.ts'

export interface SweepDeps extends LookDeps {
  /** Tells the worker that there is something to do. */
  readonly nudge: () => void
}

/** An event that Stripe lists and no webhook brought. */
export interface MissedEvent {
  readonly id: string
  readonly type: string
  readonly created: Instant
  /** Stripe still tries to deliver it, or gave up. */
  readonly undelivered: boolean
}

export interface UnstorableEvent {
  readonly id: string
  readonly reason: string
}

export interface EventSweep {
  readonly from: Instant
  /** Events of that time are no longer kept: every object was read instead. */
  readonly isBeyond: boolean
  /** Of every kind. */
  readonly read: number
  /** How many of the kinds that are acted on were missed; of these a hundred are named. */
  readonly missed: number
  readonly events: readonly MissedEvent[]
  /** Of those missed, what cannot be stored, each with the reason: nothing comes of it, and nothing waits for it. */
  readonly unstorable: readonly UnstorableEvent[]
  /** Null of a dry run. */
  readonly objects: Relisting | null
  /** Customers with a subscription whose period is over and of whose next one nobody told; they were looked at. */
  readonly stalled: number
}

const MOST_NAMED = 100
const MOST_STALLED = 500
const MOST_UNREAD = 500

/**
 * Reads Stripe's list of events since the last sweep into the inbox, the undelivered ones first, each stored once;
 * then the objects made since, and those that should have moved on. After an outage of up to 30 days nothing is
 * lost by it; after a longer one every object is read, and that is said. Where it ended is moved only when all
 * was read, so that a sweep that is killed is made again.
 */
export async function sweepEvents(deps: SweepDeps, { dryRun }: { dryRun: boolean }): Promise<EventSweep> {
  const { db, clock, log, provider } = deps
  const startedAt = clock.now()
  const last = await lastSweep(db, provider)
  const { from, isBeyond } = sweepWindow({ sweptTo: last.sweptTo, now: startedAt })
  const found = await readEvents(deps, { from, until: last.newestEvent, dryRun })
  const { read, missed, events, unstorable, newest } = found
  const stalled = await stalledCustomers(db, startedAt, MOST_STALLED)
  const told = { from, isBeyond, read, missed, events, unstorable, stalled: stalled.length }
  if (dryRun) return { ...told, objects: null }

  // Who reads the log reads dates.
  const since = formatInstant(from)
  const hours = Math.floor((startedAt - last.sweptTo) / 3600)
  if (isBeyond)
    log.warn(
      { since, hours },
      'The last sweep is longer ago than Stripe keeps its events: every object is read.',
    )
  const objects = await relist(deps, { since: from, isBeyond })
  for (const customer of stalled) await relistCustomer(deps, customer)
  await readPricesLeft(deps)
  const relistedAt = isBeyond ? startedAt : null
  await recordSweep(db, provider, { sweptTo: startedAt, newestEvent: newest, missed, relistedAt })
  if (isBeyond) log.warn({ since, ...objects }, 'Every object was read.')
  if (missed > 0) log.warn({ missed, since, hours }, 'Stripe had events that no webhook brought.')
  return { ...told, objects }
}

/** Of products that somebody took up and came no further. One that breaks something is told, and keeps no other waiting. */
async function readPricesLeft(deps: SweepDeps): Promise<void> {
  const { db, log, provider } = deps
  if (!mayComeIn(provider, 'price')) return
  for (const product of await productsWithUnreadPrices(db, provider, MOST_UNREAD)) {
    try {
      await readUnreadPrices(deps, product)
    } catch (error) {
      if (passes(error)) throw error
      log.error({ err: error, product }, 'The prices of a product could not be read.')
    }
  }
}

interface ToRead {
  readonly from: Instant
  readonly until: string | null
  readonly dryRun: boolean
}

async function readEvents(deps: SweepDeps, { from, until, dryRun }: ToRead) {
  const { provider, nudge } = deps
  const seen = new Set<string>()
  const events: MissedEvent[] = []
  const unstorable: UnstorableEvent[] = []
  let [missed, newest] = [0, null as string | null]
  // Events of test clocks carry times of their own, before and after any of ours: there the mark is an event.
  const since = provider.livemode ? from : null
  for (const undelivered of [true, false]) {
    for await (const page of untilMet(
      eventPages(deps, { undelivered, since }),
      since === null ? until : null,
    )) {
      if (!undelivered) newest ??= page[0]?.id ?? null
      // What no endpoint of ours is subscribed to was not missed by any.
      const fresh = await unknown(
        deps,
        page.filter(({ id, type }) => !seen.has(id) && handlerOf(type) !== undefined),
      )
      // Oldest first: the order in which they would have come.
      if (!dryRun) for (const event of fresh.toReversed()) unstorable.push(...(await takeIn(deps, event)))
      if (!dryRun && fresh.length > 0) nudge()
      missed += fresh.length
      for (const { id, type, created } of fresh.slice(0, MOST_NAMED - events.length))
        events.push({ id, type, created, undelivered })
      for (const { id } of page) seen.add(id)
    }
  }
  return { read: seen.size, missed, events, unstorable, newest }
}

/** Ends with the page behind the one that holds the mark; without one, with the list. */
async function* untilMet(
  pages: AsyncGenerator<Stripe.Event[]>,
  mark: string | null,
): AsyncGenerator<Stripe.Event[]> {
  let isMet = false
  for await (const page of pages) {
    yield page
    if (isMet) return
    isMet = page.some(({ id }) => id === mark)
  }
}

async function unknown({ db }: SweepDeps, page: readonly Stripe.Event[]): Promise<Stripe.Event[]> {
  const known = await knownEvents(
    db,
    page.map(({ id }) => id),
  )
  return page.filter(({ id }) => !known.has(id))
}

/** Stores one; of one that cannot be stored says why, and lets those behind it pass. */
async function takeIn(
  { db, clock, provider, log }: SweepDeps,
  event: Stripe.Event,
): Promise<UnstorableEvent[]> {
  try {
    await store({ db, clock, provider }, JSON.stringify(event))
    return []
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'webhook_malformed') throw error
    log.error({ event: event.id, reason: error.detail }, 'An event of the list cannot be stored.')
    return [{ id: event.id, reason: error.detail }]
  }
}
