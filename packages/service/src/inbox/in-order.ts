import { lastOfSecond, MOST_OF_A_SECOND, type Telling } from '@lockstep/core/last-of-second'
import type { Db } from '../postgres/connect.ts'
import { API_VERSION } from '../provider/stripe/client.ts'
import { type OfSecond, readSeconds } from '../store/events-of-second.ts'
import type { WaitingEvent } from '../store/provider-events.ts'
import type { KnownObject } from '../store/provider-objects.ts'
import { type Group, lastOf, showsIt, wayOf } from './group.ts'
import { lookingHandlerOf } from './handlers.ts'

type Known = (group: Group) => KnownObject | undefined

/**
 * Finds out, where several events of an object share its newest second, which of them came last, by what each says was
 * before it ({@link lastOfSecond}): the object need not be fetched then. All events of that second are asked, also those that were
 * processed before.
 */
export async function inOrder(db: Db, groups: readonly Group[], known: Known): Promise<Group[]> {
  const tied = new Set(groups.filter((group) => isTied(group, known(group))))
  if (tied.size === 0) return [...groups]
  const seconds = await readSeconds(
    db,
    [...tied].map((group) => ({ ...group, events: lastOf(group) })),
    MOST_OF_A_SECOND,
  )
  return groups.map((group) => (tied.has(group) ? withLast(group, seconds(group), known(group)) : group))
}

/** It would have to be fetched, and for nothing but an event that shares its second with another. */
function isTied(group: Group, known: KnownObject | undefined): boolean {
  const [newest, ...others] = lastOf(group)
  return (
    newest !== undefined &&
    !known?.gone &&
    (others.length > 0 || known?.lastEventCreated === newest.created) &&
    wayOf(group, known) === 'fetched'
  )
}

function withLast(group: Group, others: readonly OfSecond[], known: KnownObject | undefined): Group {
  const all: readonly (WaitingEvent & { readonly isHeld?: boolean })[] = [...lastOf(group), ...others]
  if (all.length > MOST_OF_A_SECOND) return group
  const looked = all.filter(({ type }) => lookingHandlerOf(type) !== undefined)
  if (!looked.every(showsAll)) return group
  const at = lastOfSecond(looked.map(telling), stageOf[group.type] ?? (() => 0))
  const event = at === undefined ? undefined : looked[at]
  if (event === undefined) return group
  const isHeld = event.isHeld ?? known?.shownBy.has(event.id) ?? false
  return { ...group, last: { event, ofSecond: all.length, isHeld } }
}

/** It shows the object as we read it, and the object still is. */
function showsAll(event: WaitingEvent): boolean {
  return showsIt(event) && event.apiVersion === API_VERSION && !lookingHandlerOf(event.type)?.isEnd
}

/** From left to right, and never back: https://docs.stripe.com/invoicing/integration/workflow-transitions */
const INVOICE_STAGES: Readonly<Record<string, number>> = {
  draft: 0,
  open: 1,
  uncollectible: 2,
  paid: 3,
  void: 3,
}

/** How far an object has come on a way that none goes back. */
const stageOf: Partial<Readonly<Record<Group['type'], (object: Telling['after']) => number>>> = {
  invoice: ({ status }) => INVOICE_STAGES[String(status)] ?? 0,
  // Only ever turned on: https://docs.stripe.com/api/test_clocks/advance
  test_clock: ({ frozen_time: time }) => Number(time),
}

/** Each tells that its invoice came into a stage. */
const BEGINS: ReadonlySet<string> = new Set([
  'invoice.finalized',
  'invoice.marked_uncollectible',
  'invoice.paid',
  'invoice.voided',
])

function telling({ type, payload }: WaitingEvent): Telling {
  const { object, previous_attributes: previous } = payload.data ?? {}
  return {
    after: object as Telling['after'],
    previous: isObject(previous) ? previous : null,
    isFirst: type.endsWith('.created') || BEGINS.has(type),
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
