import { type RawBuilder, sql } from 'kysely'

/** When a request came, as whoever took it in knows it. */
export interface Came {
  /** Seconds since then. */
  waitedSeconds(): number
  /** Whether somebody had been told by then that this registration or change is over. */
  knew(id: string): boolean
}

/**
 * When a request came, by the clock that says when a workflow ended: seconds since 1970, with their fraction. Never
 * later than it came, and earlier by no more than the database's answer took to arrive.
 */
export type Arrival = number

/** The database's clock, for {@link arrivalOf}. */
export const databaseClock = sql<number>`extract(epoch from clock_timestamp())::float8`

/**
 * `clock` was read between the request's coming and this moment. So only now is asked what the request waited: asked
 * before, whatever the question itself waited would count as if the request had come later, and a twin that ended
 * meanwhile as if it had been over by then.
 */
export function arrivalOf(clock: number, came: Came | undefined): Arrival {
  return clock - (came?.waitedSeconds() ?? 0)
}

/** Whether the workflow `w` had not ended at an arrival. */
export function ranAt(arrivedAt: Arrival): RawBuilder<boolean> {
  return sql<boolean>`(w.ended_at is null or w.ended_at >= to_timestamp(${arrivedAt}::float8))`
}
