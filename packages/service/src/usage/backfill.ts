import type { Instant } from '@lockstep/core/instant'
import { contains } from '@lockstep/core/period'
import { type Fault, Problem } from '@lockstep/core/problem'
import type { UsageNames } from '@lockstep/core/usage-form'
import { CompiledQuery } from 'kysely'
import type { Trx } from '../postgres/connect.ts'
import {
  type Counted,
  countedOf,
  hasMoreEvents,
  learnIdentities,
  removeEvents,
} from '../store/usage-corrections.ts'
import type { Arrival, Arrivals } from './arrival.ts'
import type { Backfill } from './correct.ts'
import { type Hash, hexOf } from './identity.ts'
import { storeEvents } from './statements.ts'

/** While they are moved, the customer's usage waits; a longer stretch is told in several. */
const MOST_EVENTS = 100_000

/** Takes out what a meter says of a stretch of time, and puts in what it should have said. */
export async function replaceUsage(
  trx: Trx,
  correctionId: string,
  backfill: Backfill,
  at: Instant,
): Promise<{ readonly removed: Counted; readonly added: Counted }> {
  const { arrivals } = backfill
  if (await hasMoreEvents(trx, backfill, MOST_EVENTS)) {
    const detail = `A backfill replaces at most ${MOST_EVENTS} events, and there are more. Take a shorter stretch.`
    throw new Problem('batch_too_large', detail)
  }
  await learn(trx, arrivals)
  const removed = await removeEvents(trx, correctionId, backfill)
  if (arrivals.length > 0) {
    const { text, values } = storeEvents(arrivals, at)
    await trx.executeQuery(CompiledQuery.raw(text, [...values]))
  }
  return { removed, added: countedOf(arrivals.map(({ quantityText }) => quantityText)) }
}

/** Names every event that does not belong, as the form it is written in calls things, in a list `events`. */
export function faultsOf(
  { customerId, meterKey, period, arrivals }: Backfill,
  { at }: Pick<UsageNames, 'at'>,
): Fault[] {
  const wrong = (index: number, name: string, detail: string): Fault => ({
    pointer: at(`#/events/${index}`, name),
    code: 'not_allowed',
    detail,
  })
  return arrivals.flatMap((arrival, i) => [
    ...(arrival.customer.id === customerId ? [] : [wrong(i, 'subject', 'This is another customer.')]),
    ...(arrival.meterKey === meterKey ? [] : [wrong(i, 'type', 'This is another meter.')]),
    ...(contains(period, arrival.time) ? [] : [wrong(i, 'time', 'This lies outside of the stretch.')]),
  ])
}

/** What is put in is new: an identity that was seen before is refused, also one that was taken out. */
async function learn(trx: Trx, arrivals: Arrivals): Promise<void> {
  const fresh = await learnIdentities(
    trx,
    // In an order that everybody agrees on, as ingest does.
    [...arrivals].sort((a, b) => (a.identity < b.identity ? -1 : 1)).map(namesOf),
  )
  const twice = new Set<Hash>()
  const faults = arrivals.flatMap((arrival, i): Fault[] => {
    const isNew = fresh.has(namesOf(arrival).key) && !twice.has(arrival.identity)
    twice.add(arrival.identity)
    const detail = `The identity ${JSON.stringify(arrival.id)} of ${JSON.stringify(arrival.source)} was used before.`
    return isNew ? [] : [{ pointer: `#/events/${i}/id`, code: 'usage_identity_known', detail }]
  })
  if (faults.length === 0) return
  throw new Problem('usage_identity_known', 'Events of a backfill have identities of their own.', { faults })
}

const namesOf = ({ identity, bodyHash }: Arrival) => ({ key: hexOf(identity), bodyHash: hexOf(bodyHash) })
