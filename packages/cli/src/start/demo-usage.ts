import { formatInstant, type Instant } from '@lockstep/core/instant'
import type { Period } from '@lockstep/core/period'
import type { UsageEvent } from '@lockstep/sdk/usage'
import type { DemoCustomer, Usage } from './demo-customers.ts'

const SECONDS = { hour: 3600, day: 86_400 } as const

/**
 * What a customer of the demonstration used in a period: believable, and the same on every machine
 * and at every start, so that what is known already is known again.
 */
export function* demoUsage(customer: DemoCustomer, period: Period): Generator<UsageEvent> {
  for (const usage of customer.usage) {
    const step = SECONDS[usage.every]
    // A measurement is told of at its end, the last second of its hour or day.
    for (let at = period.start + step - 1; at < period.end; at += step) {
      const time = formatInstant(at)
      yield {
        source: `meters/${customer.externalId}`,
        id: `${usage.meter} ${time}`,
        type: usage.meter,
        subject: customer.externalId,
        time,
        data: { quantity: quantityAt(usage, at, chance(`${customer.externalId} ${usage.meter} ${time}`)) },
      }
    }
  }
}

function quantityAt({ typical, rhythm, every, decimals }: Usage, at: Instant, luck: number): string {
  const date = new Date(at * 1000)
  // What is stored does not come and go with the hours; a hundredth is added each day.
  if (rhythm === 'growing') return (typical * (1 + date.getUTCDate() / 100)).toFixed(decimals)
  const busy = every === 'day' ? 1 : rhythms[rhythm](date.getUTCHours(), date.getUTCDay())
  return (typical * busy * (0.7 + 0.6 * luck)).toFixed(decimals)
}

/** How busy an hour (of UTC) is, for one whose working week is like that; 1 is usual. */
const rhythms: Record<Exclude<Usage['rhythm'], 'growing'>, (hour: number, weekday: number) => number> = {
  'working hours': (hour, weekday) => hill(hour, 14, 5) * (isWeekend(weekday) ? 0.35 : 1),
  nights: (hour) => hill(hour, 3, 3),
  evenings: (hour, weekday) => hill(hour, 20, 3) * (isWeekend(weekday) ? 1.8 : 1),
}

const isWeekend = (weekday: number) => weekday === 0 || weekday === 6

/** A tenth at night, twice the usual at its top, round the clock. */
function hill(hour: number, top: number, width: number): number {
  const apart = Math.abs(hour - top)
  const distance = Math.min(apart, 24 - apart)
  return 0.1 + 1.9 * Math.exp(-(distance ** 2) / (2 * width ** 2))
}

/** [0, 1), by the text alone (FNV-1a, then mixed so that similar texts differ). */
function chance(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
