import type { Instant } from '@lockstep/core/instant'
import { type Fault, Problem } from '@lockstep/core/problem'
import type { ReadUsage, UsageEvent } from '@lockstep/core/usage-event'
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
    sent.parsed.map(({ event, read }) => event ?? read),
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
  parsed.forEach(({ event, read, faults }, index) => {
    if (faults.length > 0) all.push(...faults)
    const place = { pointer: pointerOf(index), names }
    const arrival = event && arrive(judge, event, place)
    if (arrival) arrivals.push(arrival)
    else all.push(...whatIsWrong(judge, event ?? read ?? {}, place))
  })
  return { arrivals, faults: all }
}

/** Looks up what the events name and is not known yet, and the time of those who may be ahead of it. */
async function meet({ directory, times }: Judge, events: readonly (ReadUsage | undefined)[]): Promise<void> {
  const customers = new Set<string>()
  const meters = new Set<string>()
  for (const { subject, type } of events.flatMap((event) => event ?? [])) {
    if (subject !== undefined && !directory.customer(subject)) customers.add(subject)
    if (type !== undefined && !directory.meter(type)) meters.add(type)
  }
  if (customers.size + meters.size > 0) await directory.learn(customers, meters)

  const clocks = new Set<string>()
  for (const { subject, time } of events.flatMap((event) => event ?? [])) {
    if (subject === undefined || time === undefined) continue
    const customer = directory.customer(subject)
    if (!customer?.testClockId || clocks.has(customer.testClockId)) continue
    const now = directory.now(customer)
    const isTold = times.lateDays === null && now !== undefined && !acceptTime({ time, now }, times)
    if (!isTold) clocks.add(customer.testClockId)
  }
  if (clocks.size > 0) await directory.readClocks(clocks)
}

/** Makes an arrival of an event; undefined where something is wrong with it. */
function arrive(
  { directory, times }: Judge,
  event: UsageEvent,
  place: Required<UsagePlace>,
): Arrival | undefined {
  const customer = directory.customer(event.subject)
  const meter = directory.meter(event.type)
  if (!customer || !meter || checkMeter(event, meter, place)) return undefined
  if (checkTime(event, { now: directory.now(customer), times, place })) return undefined
  const arrival = arrivalOf(event, customer, meter.key)
  const special = specialOf(event, meter)
  return special ? { ...arrival, special } : arrival
}

/** All of it that can be told of what could be read. */
function whatIsWrong(
  { directory, times }: Judge,
  { subject, type, time, quantity, data }: ReadUsage,
  place: Required<UsagePlace>,
): Fault[] {
  const faults: (Fault | undefined)[] = []
  const customer = subject === undefined ? undefined : directory.customer(subject)
  if (subject !== undefined && !customer) {
    const detail = `There is no customer with the external id ${JSON.stringify(subject)}.`
    faults.push({ pointer: place.names.at(place.pointer, 'subject'), code: 'customer_unknown', detail })
  }
  if (customer && time !== undefined)
    faults.push(checkTime({ time }, { now: directory.now(customer), times, place }))
  const meter = type === undefined ? undefined : directory.meter(type)
  const isMeasured = quantity !== undefined && data !== undefined
  // What is measured wrongly was told when it was read.
  if (type !== undefined && (!meter || isMeasured))
    faults.push(checkMeter({ type, quantity: quantity ?? 0n, data: data ?? {} }, meter, place))
  return faults.flatMap((fault) => fault ?? [])
}

interface Moment {
  readonly now: Instant | undefined
  readonly times: TimeRules
  readonly place: Required<UsagePlace>
}

function checkTime({ time }: Pick<UsageEvent, 'time'>, { now, times, place }: Moment): Fault | undefined {
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
