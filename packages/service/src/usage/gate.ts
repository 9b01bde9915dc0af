import { sql } from 'kysely'
import { grouped } from '../postgres/grouped.ts'

/**
 * The gate keeps a customer's usage still while somebody takes a picture of it.
 *
 * Ingest passes together with other ingest: the first statement of its transaction takes the stripes
 * of its customers *shared*. Whoever needs a still picture takes the stripe *exclusive*, first thing:
 * a cut, a sync that clears `dirty` and reads the totals afterwards, a freeze that writes lines down.
 *
 * Why that is right. Both kinds of lock end after the commit is visible, and under READ COMMITTED each
 * statement sees what was committed before it began. So, for one customer:
 *
 * - **Ingest first.** The picture waits until it is committed, and every later statement of the picture
 *   sees its events, rollups and marks.
 * - **Picture first.** Ingest waits, and every later statement of it sees what the picture did. A cut:
 *   the event goes into the right half of the bucket. A cleared `dirty`: it is set again. A frozen
 *   invoice: the event is marked as late usage, because it is not on the lines.
 *
 * There is no third order, hence no event that is neither in the picture nor marked. What is *opened*
 * without the gate needs none: a new invoice begins dirty.
 *
 * Why nobody waits for ever. Ingest takes its stripes in rising order and before any row, and so does a
 * picture: one stripe, or in a transaction that many share those of all of them in one statement. So whoever
 * waits at the gate holds no row, and no stripe above the one it waits for. (Hence never close the gate late
 * in a transaction, never for two customers one after the other, and never in REPEATABLE READ, whose one
 * snapshot would be older than the lock.)
 */
export const closeGate = grouped(async (trx, customerIds: readonly string[]): Promise<undefined[]> => {
  const stripes = [...new Set(customerIds.map(stripeOf))].sort((a, b) => a - b)
  await sql`select count(pg_advisory_xact_lock(${GATE}::int4, stripe)) from unnest(${stripes}::int4[]) as stripe`.execute(
    trx,
  )
  return customerIds.map(() => undefined)
})

/** First half of the advisory locks' key, so that they meet nobody else's. */
export const GATE = 470_164

const STRIPES = 64

/** Locks are shared out by a hash (FNV-1a), the same in every process: it can never be changed online. */
export function stripeOf(customerId: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < customerId.length; i += 1) {
    hash = Math.imul(hash ^ customerId.charCodeAt(i), 0x01000193)
  }
  return (hash >>> 0) % STRIPES
}
