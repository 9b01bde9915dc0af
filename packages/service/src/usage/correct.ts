import type { Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import { Problem } from '@lockstep/core/problem'
import { formatQuantity, type Quantity } from '@lockstep/core/quantity'
import type { Clock } from '../clock.ts'
import { addUp } from '../invoice/add-up.ts'
import { rateAgain } from '../invoice/rate-again.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { transaction } from '../postgres/transaction.ts'
import { undone } from '../postgres/undone.ts'
import { expiredMonthsIn } from '../store/expired-months.ts'
import { invoicesOfTime } from '../store/invoices.ts'
import {
  type Counted,
  type EventName,
  findEvent,
  insertCorrection,
  isIdentityKnown,
  lacksEvents,
  replaceEvent,
  type UsageCorrection,
  wasVoided,
} from '../store/usage-corrections.ts'
import { recountUsage } from '../store/usage-recount.ts'
import { customerTime } from '../workflow/observe/customer-time.ts'
import type { Arrivals } from './arrival.ts'
import { replaceUsage } from './backfill.ts'
import { closeGate } from './gate.ts'
import { hexOf, identityOf } from './identity.ts'
import { keepMonths } from './keep-months.ts'
import type { Months } from './months.ts'

export type WantedCorrection =
  | { readonly kind: 'void'; readonly event: EventName }
  | { readonly kind: 'amend'; readonly event: EventName; readonly quantity: Quantity }
  | Backfill

/** What a meter says of a stretch of time, told anew. */
export interface Backfill {
  readonly kind: 'backfill'
  readonly customerId: string
  readonly meterKey: string
  readonly period: Period
  /** All of that customer, meter and stretch. */
  readonly arrivals: Arrivals
}

/** Who does it, and why. */
export interface CorrectionDeed {
  readonly id: string
  readonly by: string
  readonly agent: string | null
  readonly reason: string
}

interface CorrectionDeps {
  readonly db: Db
  readonly clock: Clock
  readonly months: Months
}

/** What is concerned: whose usage of what, and when it was used. */
interface Place {
  readonly customerId: string
  readonly meterKey: string
  readonly period: Period
}

const SECONDS_PER_HOUR = 3600

/** The last second that can be written. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000

/**
 * Corrects usage that was taken in, in one transaction: the events, the rollups, counted again from the
 * events that stay, and the mark on the invoices. The identity of what is taken out stays known for ever.
 * A dry run does all of it and takes it back, so it says exactly what the deed would do; only the months'
 * partitions that a backfill made stay, empty.
 */
export async function correctUsage(
  { db, clock, months }: CorrectionDeps,
  wanted: WantedCorrection,
  deed: CorrectionDeed,
  { dryRun }: { readonly dryRun: boolean },
): Promise<UsageCorrection> {
  const place = await placeOf(db, wanted)
  const affected = await affectedBy(db, place)
  const inAdvance = await addUp(db, await invoicesOfTime(db, affected.customerId, affected.period))
  if (wanted.kind === 'backfill') await months.ensure(wanted.arrivals.map(({ time }) => time))
  const run = dryRun ? undone : transaction
  return run(db, async (trx) => {
    await closeGate(trx, place.customerId)
    const hours = hoursAround(place.period)
    await keepMonths(trx, hours)
    const at = await customerTime(trx, clock, place.customerId)
    const inHours = { ...place, period: hours }
    const recount = async () => {
      await requireEvents(trx, inHours)
      const changed = await change(trx, wanted, deed.id, at)
      await recountUsage(trx, inHours)
      return changed
    }
    const { value: counted, effect } = await rateAgain(trx, affected, recount, inAdvance)
    const correction = correctionOf(wanted, place, deed, { ...counted, effect, at })
    if (!dryRun) await insertCorrection(trx, correction)
    return correction
  })
}

async function placeOf(db: Db, wanted: WantedCorrection): Promise<Place> {
  if (wanted.kind === 'backfill') return wanted
  const { event } = wanted
  const found = await findEvent(db, event)
  if (!found) throw await absent(db, event)
  if (wanted.kind === 'amend') await requireQuantity(db, found.meterKey, wanted.quantity)
  return { ...found, period: { start: event.time, end: event.time + 1 } }
}

/** Only a quantity that the meter would have taken in: one at all, and below zero of a level alone. */
async function requireQuantity(db: Db, meterKey: string, quantity: Quantity): Promise<void> {
  const aggregation = await aggregationOf(db, meterKey)
  if (aggregation === 'count' || aggregation === 'unique') {
    const detail = `The meter ${meterKey} does not look at quantities. Void the event instead.`
    throw new Problem('quantity_invalid', detail)
  }
  if (quantity < 0n && aggregation !== 'timeWeightedSum') {
    throw new Problem('quantity_invalid', `A quantity is not negative: ${formatQuantity(quantity)}.`)
  }
}

/** Of an archived meter too. */
async function aggregationOf(db: Db, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('meter').select('aggregation').where('key', '=', key).executeTakeFirst()
  return row?.aggregation
}

/** Of an event that was taken in once, nobody can say that it was not of an hour whose events are gone. */
async function absent(db: Db, event: EventName): Promise<Problem> {
  const name = `${JSON.stringify(event.id)} of ${JSON.stringify(event.source)}`
  if (await wasVoided(db, event))
    return new Problem('usage_event_voided', `The event ${name} was voided already.`)
  const second = { start: event.time, end: event.time + 1 }
  const isGone = async () =>
    (await expiredMonthsIn(db, second)).length > 0 || (await lacksEvents(db, hoursAround(second)))
  if ((await isIdentityKnown(db, hexOf(identityOf(event)))) && (await isGone()))
    return new Problem(
      'usage_events_expired',
      `Some of the events of that hour are no longer kept, and ${name} is not among those that are.`,
    )
  return new Problem('usage_event_not_found', `At that second there is no event ${name}.`)
}

interface Changed {
  readonly removed: Counted
  readonly added: Counted
}

async function change(
  trx: Trx,
  wanted: WantedCorrection,
  correctionId: string,
  at: Instant,
): Promise<Changed> {
  if (wanted.kind === 'backfill') return replaceUsage(trx, correctionId, wanted, at)
  const quantity = wanted.kind === 'amend' ? wanted.quantity : null
  const changed = await replaceEvent(trx, correctionId, wanted.event, { quantity, at })
  // Somebody else has voided it since we found it.
  if (changed.removed.events === 0n)
    throw new Problem('usage_event_voided', 'The event was voided at this moment.')
  return changed
}

/** Events whose month is no longer kept are counted, but cannot be counted again. */
async function requireEvents(trx: Trx, place: Place): Promise<void> {
  const { before, after } = await recountUsage(trx, place)
  if (before === after) return
  throw new Problem('usage_events_expired', 'Some of the events of that time are no longer kept.')
}

/** A level that was changed is another one for ever after: so are the invoices of every later period. */
async function affectedBy(db: Db, place: Place): Promise<Place> {
  if ((await aggregationOf(db, place.meterKey)) !== 'timeWeightedSum') return place
  return { ...place, period: { start: place.period.start, end: END_OF_TIME } }
}

/** Whole buckets, wherever an hour is cut. */
function hoursAround({ start, end }: Period): Period {
  return {
    start: Math.floor(start / SECONDS_PER_HOUR) * SECONDS_PER_HOUR,
    end: Math.ceil(end / SECONDS_PER_HOUR) * SECONDS_PER_HOUR,
  }
}

function correctionOf(
  wanted: WantedCorrection,
  { customerId, meterKey, period }: Place,
  { id, by, agent, reason }: CorrectionDeed,
  { removed, added, effect, at }: Changed & Pick<UsageCorrection, 'effect'> & { readonly at: Instant },
): UsageCorrection {
  const event = wanted.kind === 'backfill' ? null : wanted.event
  return {
    ...{ id, customerId, meterKey, kind: wanted.kind, periodStart: period.start, periodEnd: period.end },
    ...{ source: event?.source ?? null, eventId: event?.id ?? null },
    ...{ removedEvents: removed.events, removedQuantity: formatQuantity(removed.quantity) },
    ...{ addedEvents: added.events, addedQuantity: formatQuantity(added.quantity) },
    ...{ effect, reason, madeBy: by, agent, madeAt: at },
  }
}
