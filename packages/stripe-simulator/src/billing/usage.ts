import type { MeterEventRow, MeterRow } from '../rows.ts'
import { formatDecimal, PICOS } from '../rules/decimal.ts'
import { usageKey } from '../store/tables.ts'
import type { World } from '../world.ts'

/** Seconds of the windows in which a later event replaces the ones before it. */
const WINDOW_SECONDS: Record<string, number> = { hour: 3600, day: 86_400 }

/** Half-open, `[start, end)`: an event stamped `end` belongs to the next stretch. */
interface Stretch {
  readonly start: number
  readonly end: number
}

/**
 * What an invoice bills of a meter: exact, as decimal text. "If the overall cycle usage is negative, Stripe
 * reports the invoice line item usage quantity as 0."
 * https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api
 *
 * @public
 */
export function billedQuantity(world: World, meter: string, customer: string, stretch: Stretch): string {
  const usage = aggregate(world.meters.must(meter), usageEvents(world, meter, customer, stretch))
  return formatDecimal(usage > 0n ? usage : 0n)
}

/** The events that count for a stretch, by when they happened; of equal times the one received later is last. */
export function usageEvents(
  world: World,
  meter: string,
  customer: string,
  { start, end }: Stretch,
): MeterEventRow[] {
  const received = world.meterEvents
    .by('usage', usageKey(meter, customer))
    .filter((event) => !event.own.canceled && event.timestamp >= start && event.timestamp < end)
  return latestOfWindows(world.meters.must(meter), received).sort((a, b) => a.timestamp - b.timestamp)
}

/**
 * The value of events in the order of their times, in picos of the meter's unit. `last` of nothing is 0.
 * https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure
 */
export function aggregate(meter: MeterRow, events: readonly MeterEventRow[]): bigint {
  switch (meter.default_aggregation.formula) {
    case 'count':
      return BigInt(events.length) * PICOS
    case 'last':
      return picosOf(events.at(-1))
    case 'sum':
      return events.reduce((sum, event) => sum + picosOf(event), 0n)
    default:
      throw new Error(`no meter is made with ${meter.default_aggregation.formula}`)
  }
}

/** Of a meter that is fed with finished hours or days, only the event received last in each of them counts. */
function latestOfWindows(meter: MeterRow, received: readonly MeterEventRow[]): MeterEventRow[] {
  const seconds = WINDOW_SECONDS[meter.event_time_window ?? '']
  if (seconds === undefined) return [...received]
  const latest = new Map(received.map((event) => [Math.floor(event.timestamp / seconds), event]))
  return [...latest.values()]
}

function picosOf(event: MeterEventRow | undefined): bigint {
  return BigInt(event?.own.value ?? 0)
}
