import type { Instant } from '@lockstep/core/instant'
import { type Fault, Problem } from '@lockstep/core/problem'
import { acceptTime, checkMeter, parseUsageEvent, type UsageEvent } from '@lockstep/core/usage-event'
import { type Arrival, type Arrivals, arrivalOf } from './arrival.ts'
import type { Directory } from './directory.ts'

const MAX_EVENTS = 1000
const MAX_FAULTS = 1000

/** Where each event of a batch stands, written once and not for every event that comes. */
const pointers: readonly string[] = Array.from({ length: MAX_EVENTS }, (_, index) => `#/${index}`)

/**
 * Makes arrivals of a request's body: one event or a list. Throws a Problem that names every fault of
 * every event; then nothing of the request is taken.
 */
export async function readRequest(directory: Directory, body: unknown): Promise<Arrivals> {
  const values = listOf(body)
  const pointerOf = (index: number) => (Array.isArray(body) ? (pointers[index] ?? '#') : '#')
  const parsed = values.map((value, index) => parseUsageEvent(value, pointerOf(index)))
  // By what is remembered, which mostly is enough; and what is wrong by that, by what there is now.
  const remembered = allow(directory, parsed, pointerOf)
  if (remembered.faults.length === 0) return remembered.arrivals
  await meet(
    directory,
    parsed.map(({ event }) => event),
  )
  const { arrivals, faults } = allow(directory, parsed, pointerOf)
  if (faults.length > 0) throw refusal(faults, values.length)
  return arrivals
}

/** Makes arrivals of events as far as their customers and meters are known and nothing is wrong with them. */
function allow(
  directory: Directory,
  parsed: readonly ReturnType<typeof parseUsageEvent>[],
  pointerOf: (index: number) => string,
): { arrivals: Arrival[]; faults: Fault[] } {
  const arrivals: Arrival[] = []
  const all: Fault[] = []
  // An event that can be read has no faults yet, so they come in the order of the events.
  parsed.forEach(({ event, faults }, index) => {
    if (faults.length > 0) all.push(...faults)
    const arrival = event && arrive(directory, event, pointerOf(index), all)
    if (arrival) arrivals.push(arrival)
  })
  return { arrivals, faults: all }
}

function listOf(body: unknown): readonly unknown[] {
  if (!Array.isArray(body)) return [body]
  if (body.length === 0) {
    const fault = { pointer: '#', code: 'too_few', detail: 'A batch has at least one event.' }
    throw new Problem('usage_event_invalid', fault.detail, { faults: [fault] })
  }
  if (body.length > MAX_EVENTS) {
    const detail = `A batch has at most ${MAX_EVENTS} events; this one has ${body.length}.`
    throw new Problem('batch_too_large', detail)
  }
  return body
}

/** Looks up what the events name and is not known yet, and the time of those who may be ahead of it. */
async function meet(directory: Directory, events: readonly (UsageEvent | undefined)[]): Promise<void> {
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
    if (now === undefined || acceptTime({ time: event.time, now })) clocks.add(customer.testClockId)
  }
  if (clocks.size > 0) await directory.readClocks(clocks)
}

/** Makes an arrival of an event, or adds whatever is wrong with it to `faults`. */
function arrive(
  directory: Directory,
  event: UsageEvent,
  pointer: string,
  faults: Fault[],
): Arrival | undefined {
  const customer = directory.customer(event.subject)
  const meter = directory.meter(event.type)
  const early = customer && tooEarly(event, directory.now(customer), pointer)
  const wrong = checkMeter(event, meter, pointer)
  if (customer && meter && !early && !wrong) return arrivalOf(event, customer, meter.key)
  if (!customer) {
    const detail = `There is no customer with the external id ${JSON.stringify(event.subject)}.`
    faults.push({ pointer: `${pointer}/subject`, code: 'customer_unknown', detail })
  }
  if (early) faults.push(early)
  if (wrong) faults.push(wrong)
  return undefined
}

function tooEarly({ time }: UsageEvent, now: Instant | undefined, pointer: string): Fault | undefined {
  if (now !== undefined) return acceptTime({ time, now, pointer })
  return { pointer: `${pointer}/time`, code: 'usage_time_in_future', detail: 'The clock was not read yet.' }
}

function refusal(faults: Fault[], count: number): Problem {
  const which = count === 1 ? 'the event' : `${count} events`
  const told = faults.length > MAX_FAULTS ? `; the first ${MAX_FAULTS} are told` : ''
  const detail = `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${which}${told}. Nothing was taken.`
  return new Problem('usage_event_invalid', detail, { faults: faults.slice(0, MAX_FAULTS) })
}
