import type { Instant } from './instant.ts'

/** What is known when a provider's event comes to its turn. Times are the provider's, perhaps simulated. */
export interface EventInLight {
  readonly eventCreated: Instant
  /** The newest event of this object seen before, applied or not; null if this is the first. */
  readonly lastEventCreated: Instant | null
  /** Of all events of its second that are known, it is the one that came last: they say so (`lastOfSecond`). */
  readonly isLastOfSecond?: boolean
  /** A write or fetch of our own was recorded since that newest event. */
  readonly ownSince: boolean
  /** What we hold says the object is over for good; only a look may say otherwise. */
  readonly terminal: boolean
  /** The payload is of an API version other than the one we read. */
  readonly otherVersion?: boolean
}

/**
 * Whether an event's payload can be taken as the object's state, or the object has to be fetched.
 * Events come late, twice and out of order, and their time has a resolution of one second: of two
 * events of one second their time does not tell which is newer, only what they show may. Our own answers carry no event time at all, so
 * after one of them every payload may be older than what we hold.
 */
export function decide(event: EventInLight): 'apply' | 'fetch' {
  const { eventCreated, lastEventCreated, isLastOfSecond = false } = event
  const newest =
    lastEventCreated === null ||
    eventCreated > lastEventCreated ||
    (eventCreated === lastEventCreated && isLastOfSecond)
  return newest && !event.ownSince && !event.terminal && !event.otherVersion ? 'apply' : 'fetch'
}
