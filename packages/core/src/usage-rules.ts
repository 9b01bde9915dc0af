import { formatInstant, type Instant } from './instant.ts'
import { type Meter, textOfValue } from './meter.ts'
import type { Fault } from './problem.ts'
import type { UsageEvent } from './usage-event.ts'
import { cloudEventNames, type UsageNames } from './usage-form.ts'

const SECONDS_PER_DAY = 86_400

/** What times an installation takes from its producers. */
export interface TimeRules {
  /** Producers' clocks differ: so far ahead of the customer's now an event may be. */
  readonly aheadSeconds: number
  /** So far back it may be; null for any distance, which is the rule unless somebody says otherwise. */
  readonly lateDays: number | null
}

export const defaultTimeRules: TimeRules = { aheadSeconds: 300, lateDays: null }

/** Where an event stands in its request, and what things are called there. */
export interface UsagePlace {
  /** Of the event: `#`, `#/0`. */
  readonly pointer: string
  readonly names?: UsageNames
}

/** Whether the event's meter exists and gets what it needs: a quantity, or the property it looks at. */
export function checkMeter(
  event: Pick<UsageEvent, 'type' | 'quantity' | 'data'>,
  meter: Meter | undefined,
  { pointer, names = cloudEventNames }: UsagePlace,
): Fault | undefined {
  if (!meter) {
    const detail = `There is no meter ${JSON.stringify(event.type)}.`
    return { pointer: names.at(pointer, 'type'), code: 'meter_unknown', detail }
  }
  const { aggregation, property } = meter
  const given: unknown = event.data.quantity
  const fault = (path: string, code: string, detail: string): Fault => ({
    pointer: names.at(pointer, 'data', path),
    code,
    detail,
  })
  if (event.quantity < 0n && aggregation !== 'timeWeightedSum') {
    return fault('quantity', 'quantity_invalid', `A quantity is not negative: ${JSON.stringify(given)}.`)
  }
  if (property !== undefined) {
    if (textOfValue(event.data[property]) !== undefined) return undefined
    return fault(property, 'required', `The meter ${meter.key} counts the different values of ${property}.`)
  }
  if (aggregation === 'count' || given !== undefined) return undefined
  return fault('quantity', 'required', `The meter ${meter.key} needs a quantity.`)
}

/** Whether an event of `time` may come at `now`, which is its customer's time. Both ends are still allowed. */
export function acceptTime(
  { time, now }: { readonly time: Instant; readonly now: Instant },
  { aheadSeconds, lateDays }: TimeRules,
  { pointer, names = cloudEventNames }: UsagePlace = { pointer: '#' },
): Fault | undefined {
  const early = time > now + aheadSeconds
  if (!early && (lateDays === null || time >= now - lateDays * SECONDS_PER_DAY)) return undefined
  const limit = early ? '' : ` The limit is ${lateDays} ${lateDays === 1 ? 'day' : 'days'}.`
  const detail = `The event's time is ${formatInstant(time)}, for its customer it is ${formatInstant(now)}.${limit}`
  const code = early ? 'usage_time_in_future' : 'usage_time_too_late'
  return { pointer: names.at(pointer, 'time'), code, detail }
}
