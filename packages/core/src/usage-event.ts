import type { Instant } from './instant.ts'
import type { Meter } from './meter.ts'
import type { Fault } from './problem.ts'
import type { Quantity } from './quantity.ts'

/** One CloudEvents 1.0 event. `source` and `id` together say which one it is, for ever. */
export interface UsageEvent {
  readonly source: string
  readonly id: string
  /** A meter's key. */
  readonly type: string
  /** The customer's externalId. */
  readonly subject: string
  readonly time: Instant
  /** As it was sent, fractions of a second included. */
  readonly timeText: string
  /** 1 unit where the event says none, which only a count meter accepts. */
  readonly quantity: Quantity
  readonly data: Record<string, unknown>
}

/** Reads one event; `pointer` says where it stands in the body: `#`, `#/0`. All faults at once. */
export function parseUsageEvent(_value: unknown, _pointer: string): { event?: UsageEvent; faults: Fault[] } {
  throw new Error('being written')
}

/** Whether the event's meter exists and gets the quantity it needs. */
export function checkMeter(
  _event: UsageEvent,
  _meter: Meter | undefined,
  _pointer: string,
): Fault | undefined {
  throw new Error('being written')
}

/** Producers' clocks differ; more than five minutes ahead of the customer's now is a mistake. */
export function acceptTime(_args: { time: Instant; now: Instant; pointer?: string }): Fault | undefined {
  throw new Error('being written')
}
