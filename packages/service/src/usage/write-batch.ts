import type { Instant } from '@lockstep/core/instant'
import { contains } from '@lockstep/core/period'
import type pg from 'pg'
import type { Arrival, Receipt } from './arrival.ts'
import { type Batch, receiptsOf } from './batch.ts'
import { Exchange } from './exchange.ts'
import { countExpired } from './expired-statements.ts'
import type { Months } from './months.ts'
import type { Place, TouchedInvoice } from './places.ts'
import { rollUp } from './rollups.ts'
import { rollUpBeside } from './side-rollups.ts'
import { addBeside, lookAhead } from './side-statements.ts'
import {
  addRollups,
  begin,
  commit,
  findConflicts,
  insertIdentities,
  look,
  markInvoices,
  passGate,
  storeEvents,
} from './statements.ts'

/**
 * Takes a batch in with one transaction of two round trips: identities first, and only what is new by
 * them becomes events and rollups.
 *
 * Rows are locked in one order by everyone: identities, rollups, what is kept beside them, what is counted of
 * expired months, invoices, each kind sorted. A deadlock with somebody else's transaction is still possible,
 * and is for the caller to repeat.
 */
export async function writeBatch(
  client: pg.ClientBase,
  batch: Batch,
  {
    months,
    receivedAt,
  }: { readonly months: Pick<Months, 'isKept' | 'areAllKept'>; readonly receivedAt: Instant },
): Promise<Receipt[]> {
  const additions = (arrivals: readonly Arrival[]) => {
    const { kept, expired } = byKeeping(arrivals, months)
    return [
      ...(kept.length > 0 ? [storeEvents(kept, receivedAt)] : []),
      addRollups(rollUp(countedOf(arrivals), batch.places)),
      ...addBeside(rollUpBeside(arrivals, batch.places)),
      ...(expired.length > 0 ? [countExpired(expired)] : []),
    ]
  }
  const leveled = placesOfLevels(batch)
  const exchange = client.query(new Exchange())
  const looked = exchange.send([
    begin,
    passGate(batch.stripes),
    insertIdentities(batch.firsts),
    look(batch.places.all),
    ...(leveled.length > 0 ? [lookAhead(leveled)] : []),
  ])
  // Put together while Postgres works, not afterwards: mostly nothing was known before and no hour is cut.
  const likely = additions(batch.firsts)
  const [, , fresh] = await looked
  const [conflicting] = fresh ? await exchange.send([findConflicts(knownBefore(batch, fresh))]) : [none]
  const taken = fresh ? batch.firsts.filter(({ identity }) => fresh.has(identity)) : batch.firsts
  const marked = touchedBy(taken, batch)
  const ended = await exchange.finish([
    ...(taken.length === 0 ? [] : fresh || isCut(batch) ? additions(taken) : likely),
    ...(marked.length > 0 ? [markInvoices(marked)] : []),
    commit,
  ])
  if (ended.at(-1) !== true) throw new Error('The transaction was not committed.')
  return receiptsOf(batch, { fresh, conflicting })
}

/** What came for a month whose events are no longer kept counts like any other, and is not stored. */
function byKeeping(arrivals: readonly Arrival[], months: Pick<Months, 'isKept' | 'areAllKept'>) {
  if (months.areAllKept()) return { kept: arrivals, expired: [] }
  return {
    kept: arrivals.filter(({ time }) => months.isKept(time)),
    expired: arrivals.filter(({ time }) => !months.isKept(time)),
  }
}

/** Those that their meters count: mostly all of them. */
const countedOf = (arrivals: readonly Arrival[]) =>
  arrivals.some(({ special }) => special?.counted === false)
    ? arrivals.filter(({ special }) => special?.counted !== false)
    : arrivals

const placesOfLevels = ({ firsts, places }: Batch): Place[] => [
  ...new Set(firsts.filter(({ special }) => special?.level).map(places.of)),
]

const isCut = ({ places }: Batch) => places.all.some(({ cuts }) => cuts.length > 0)

const none: ReadonlySet<string> = new Set()

const knownBefore = ({ requests }: Batch, fresh: ReadonlySet<string>): Arrival[] =>
  requests.flatMap((arrivals) => arrivals.filter(({ identity }) => !fresh.has(identity)))

function touchedBy(taken: readonly Arrival[], { places }: Batch): TouchedInvoice[] {
  if (places.all.every(({ invoices }) => invoices.length === 0)) return []
  const touched = new Map<string, TouchedInvoice>()
  for (const arrival of taken) {
    const { time, special } = arrival
    if (special?.counted === false) continue
    for (const invoice of places.of(arrival).invoices) {
      // A level that changes is another one in every later period too.
      const isLater = special?.level && invoice.period.start > time
      if (isLater || contains(invoice.period, time)) touched.set(invoice.id, invoice)
    }
  }
  return [...touched.values()]
}
