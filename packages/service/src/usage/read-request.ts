import { assert } from '@lockstep/core/assert'
import { type Fault, Problem } from '@lockstep/core/problem'
import { acceptTime, checkMeter, parseUsageEvent, type UsageEvent } from '@lockstep/core/usage-event'
import { type Arrivals, arrivalOf } from './arrival.ts'
import type { Directory, UsageCustomer } from './directory.ts'

const MAX_EVENTS = 1000
const MAX_FAULTS = 1000

interface Read {
  readonly event: UsageEvent
  readonly pointer: string
}

/**
 * Makes arrivals of a request's body: one event or a list. Throws a Problem that names every fault of
 * every event; then nothing of the request is taken.
 */
export async function readRequest(directory: Directory, body: unknown): Promise<Arrivals> {
  const faults: Fault[] = []
  const events: Read[] = []
  const count = forEachEvent(body, (value, pointer) => {
    const parsed = parseUsageEvent(value, pointer)
    if (parsed.event) events.push({ event: parsed.event, pointer })
    else faults.push(...parsed.faults)
  })
  await meet(directory, events)

  const arrivals = []
  for (const read of events) {
    const customer = directory.customer(read.event.subject)
    const found = check(directory, read, customer)
    if (found.length > 0) faults.push(...found)
    else if (customer) arrivals.push(arrivalOf(read.event, customer))
  }
  if (faults.length > 0) throw refusal(faults, count)
  return arrivals
}

function forEachEvent(body: unknown, visit: (value: unknown, pointer: string) => void): number {
  if (!Array.isArray(body)) {
    visit(body, '#')
    return 1
  }
  if (body.length === 0) {
    const fault = { pointer: '#', code: 'too_few', detail: 'A batch has at least one event.' }
    throw new Problem('usage_event_invalid', fault.detail, { faults: [fault] })
  }
  if (body.length > MAX_EVENTS) {
    const detail = `A batch has at most ${MAX_EVENTS} events; this one has ${body.length}.`
    throw new Problem('batch_too_large', detail)
  }
  body.forEach((value, index) => {
    visit(value, `#/${index}`)
  })
  return body.length
}

/** Looks up what the events name and is not known yet, and the time of those who may be ahead of it. */
async function meet(directory: Directory, events: readonly Read[]): Promise<void> {
  const customers = new Set<string>()
  const meters = new Set<string>()
  for (const { event } of events) {
    if (!directory.customer(event.subject)) customers.add(event.subject)
    if (!directory.meter(event.type)) meters.add(event.type)
  }
  if (customers.size + meters.size > 0) await directory.learn(customers, meters)

  const clocks = new Set<string>()
  for (const { event } of events) {
    const customer = directory.customer(event.subject)
    if (!customer?.testClockId || clocks.has(customer.testClockId)) continue
    const now = directory.now(customer)
    if (now === undefined || acceptTime({ time: event.time, now })) clocks.add(customer.testClockId)
  }
  if (clocks.size > 0) await directory.readClocks(clocks)
}

function check(directory: Directory, { event, pointer }: Read, customer: UsageCustomer | undefined): Fault[] {
  const faults: Fault[] = []
  if (customer) {
    const now = directory.now(customer)
    assert(now !== undefined)
    const ahead = acceptTime({ time: event.time, now, pointer })
    if (ahead) faults.push(ahead)
  } else {
    const detail = `There is no customer with the external id ${JSON.stringify(event.subject)}.`
    faults.push({ pointer: `${pointer}/subject`, code: 'customer_unknown', detail })
  }
  const wrong = checkMeter(event, directory.meter(event.type), pointer)
  if (wrong) faults.push(wrong)
  return faults
}

function refusal(faults: Fault[], count: number): Problem {
  const which = count === 1 ? 'the event' : `${count} events`
  const told = faults.length > MAX_FAULTS ? `; the first ${MAX_FAULTS} are told` : ''
  const detail = `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${which}${told}. Nothing was taken.`
  return new Problem('usage_event_invalid', detail, { faults: faults.slice(0, MAX_FAULTS) })
}
