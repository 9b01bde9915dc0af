import type { Instant } from '@lockstep/core/instant'
import { contains } from '@lockstep/core/period'
import type pg from 'pg'
import type { Arrival, Receipt } from './arrival.ts'
import { type Batch, type Known, receiptsOf, type TouchedInvoice } from './batch.ts'
import { rollUp } from './rollups.ts'
import {
  addRollups,
  findConflicts,
  insertIdentities,
  look,
  markInvoices,
  passGate,
  storeEvents,
} from './statements.ts'

/** A connection of a pool with `pipeline`. */
export type UsageClient = Pick<pg.Client, 'query' | 'connection'>

/**
 * Takes a batch in with one transaction: identities first, and only what is new by them becomes events
 * and rollups. The client sends without waiting (`pipeline`), so this is two round trips.
 *
 * Rows are locked in one order by everyone: identities, rollups, invoices, each kind sorted. A deadlock
 * with somebody else's transaction is still possible, and is for the caller to repeat.
 */
export async function writeBatch(client: UsageClient, batch: Batch, receivedAt: Instant): Promise<Receipt[]> {
  const [, , fresh] = await together(client, () => [
    client.query('begin'),
    passGate(client, batch.stripes),
    insertIdentities(client, batch.firsts),
    look(client, batch.places),
  ])
  const taken = fresh ? batch.firsts.filter(({ identity }) => fresh.has(identity)) : batch.firsts
  const marked = touchedBy(taken, batch)
  const [conflicting, , , , ended] = await together(client, () => [
    fresh ? findConflicts(client, knownBefore(batch, fresh)) : noConflicts,
    taken.length > 0 ? storeEvents(client, taken, receivedAt) : undefined,
    taken.length > 0
      ? addRollups(
          client,
          rollUp(taken, (arrival) => batch.placeOf(arrival).cuts),
        )
      : undefined,
    marked.length > 0 ? markInvoices(client, marked) : undefined,
    client.query('commit'),
  ])
  // What had failed in between would have made a ROLLBACK of it.
  if (ended.command !== 'COMMIT') throw new Error(`The transaction ended with ${ended.command}.`)
  const known: Known = { fresh, conflicting }
  return receiptsOf(batch, known)
}

const noConflicts: Promise<ReadonlySet<string>> = Promise.resolve(new Set<string>())

const knownBefore = ({ requests }: Batch, fresh: ReadonlySet<string>): Arrival[] =>
  requests.flatMap((arrivals) => arrivals.filter(({ identity }) => !fresh.has(identity)))

function touchedBy(taken: readonly Arrival[], batch: Batch): TouchedInvoice[] {
  const touched = new Map<string, TouchedInvoice>()
  for (const arrival of taken) {
    for (const invoice of batch.placeOf(arrival).invoices) {
      if (contains(invoice.period, arrival.event.time)) touched.set(invoice.id, invoice)
    }
  }
  return [...touched.values()]
}

/**
 * Sends all in one write, and waits for all, also when one fails: what was sent behind it must have
 * ended before anything else begins.
 */
async function together<const T extends readonly unknown[]>(
  { connection: { stream } }: UsageClient,
  send: () => T,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  stream.cork()
  const queries = send()
  stream.uncork()
  const settled = await Promise.allSettled(queries)
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as never
}
