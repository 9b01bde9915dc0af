import type { Instant } from '@lockstep/core/instant'
import { type Fault, Problem } from '@lockstep/core/problem'
import type { UsageEvent } from '@lockstep/core/usage-event'
import { acceptTime, checkMeter, type TimeRules, type UsagePlace } from '@lockstep/core/usage-rules'
import { type Arrival, type Arrivals, arrivalOf, specialOf } from './arrival.ts'
import type { Directory } from './directory.ts'
import type { SentUsage } from './sent.ts'

const MAX_FAULTS = 1000

/** By what an event is judged. */
interface Judge {
  readonly directory: Directory
  readonly times: TimeRules
}

/**
 * Makes arrivals of what a request brought. Throws a Problem that names every fault of every event;
 * then nothing of the request is taken.
 */
export async function readRequest(judge: Judge, sent: SentUsage): Promise<Arrivals> {
  // By what is remembered, which mostly is enough; and what is wrong by that, by what there is now.
  const remembered = allow(judge, sent)
  if (remembered.faults.length === 0 && !mayBeTooLateByNow(judge, remembered.arrivals))
    return remembered.arrivals
  await meet(
    judge,
    sent.parsed.map(({ event }) => event),
  )
  const { arrivals, faults } = allow(judge, sent)
  if (faults.length > 0) throw refusal(faults, sent.parsed.length)
  return arrivals
}

/** A test clock may stand later than we saw it: what was not too late then may be by now. */
function mayBeTooLateByNow({ times }: Judge, arrivals: Arrivals): boolean {
  return times.lateDays !== null && arrivals.some(({ customer }) => customer.testClockId !== null)
}

/** Makes arrivals of events as far as their customers and meters are known and nothing is wrong with them. */
function allow(
  judge: Judge,
  { parsed, pointerOf, names }: SentUsage,
): { arrivals: Arrival[]; faults: Fault[] } {
  const arrivals: Arrival[] = []
  const all: Fault[] = []
  // An event that can be read has no faults yet, so they come in the order of the events.
  parsed.forEach(({ event, faults }, index) => {
    if (faults.length > 0) all.push(...faults)
    const arrival = event && arrive(judge, event, { pointer: pointerOf(index), names }, all)
    if (arrival) arrivals.push(arrival)
  })
  return { arrivals, faults: all }
}

/** Looks up what the events name and is not known yet, and the time of those who may be ahead of it. */
async function meet({ directory, times }: Judge, events: readonly (UsageEvent | undefined)[]): Promise<void> {
  const customers = new Set<string>()
  const meters = new Set<string>()
  for (const event of events) {
    if (!event) continue
    if (!directory.customer(event.subject)) customers.add(event.subject)
    if (!directory.meter(event.type)) meters.add(event.type)
  }
  if (customers.size + meters.size > 0) await directory.learn(customers, meters)

  const clocks = new Set<string>()
  for (const event of events) {
    if (!event) continue
    const customer = directory.customer(event.subject)
    if (!customer?.testClockId || clocks.has(customer.testClockId)) continue
    const now = directory.now(customer)
    const isTold =
      times.lateDays === null && now !== undefined && !acceptTime({ time: event.time, now }, times)
    if (!isTold) clocks.add(customer.testClockId)
  }
  if (clocks.size > 0) await directory.readClocks(clocks)
}

/** Makes an arrival of an event, or adds whatever is wrong with it to `faults`. */
function arrive(
  { directory, times }: Judge,
  event: UsageEvent,
  place: Required<UsagePlace>,
  faults: Fault[],
): Arrival | undefined {
  const customer = directory.customer(event.subject)
  const meter = directory.meter(event.type)
  const untimely = customer && checkTime(event, { now: directory.now(customer), times, place })
  const wrong = checkMeter(event, meter, place)
  if (customer && meter && !untimely && !wrong) {
    const arrival = arrivalOf(event, customer, meter.key)
    const special = specialOf(event, meter)
    return special ? { ...arrival, special } : arrival
  }
  if (!customer) {
    const detail = `There is no customer with the external id ${JSON.stringify(event.subject)}.`
    faults.push({ pointer: place.names.at(place.pointer, 'subject'), code: 'customer_unknown', detail })
  }
  if (untimely) faults.push(untimely)
  if (wrong) faults.push(wrong)
  return undefined
}

interface Moment {
  readonly now: Instant | undefined
  readonly times: TimeRules
  readonly place: Required<UsagePlace>
}

function checkTime({ time }: UsageEvent, { now, times, place }: Moment): Fault | undefined {
  if (now !== undefined) return acceptTime({ time, now }, times, place)
  const pointer = place.names.at(place.pointer, 'time')
  return { pointer, code: 'usage_time_in_future', detail: 'The clock was not read yet.' }
}

function refusal(faults: Fault[], count: number): Problem {
  const which = count === 1 ? 'the event' : `${count} events`
  const told = faults.length > MAX_FAULTS ? `; the first ${MAX_FAULTS} are told` : ''
  const detail = `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${which}${told}. Nothing was taken.`
  return new Problem('usage_event_invalid', detail, { faults: faults.slice(0, MAX_FAULTS) })
}
