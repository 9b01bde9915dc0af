import { AsyncLocalStorage } from 'node:async_hooks'
import { Problem } from '@lockstep/core/problem'
import type { Pool } from 'pg'
import type { Pace } from './pace.ts'

/** Requests a second, and how many may come at once. Rate and burst together stay below Stripe's. */
export interface Limits {
  readonly account: number
  readonly endpoint: number
  readonly burst: number
}

/** How many may come at once. */
export const BURST = 5

/** https://docs.stripe.com/rate-limits: 100 a second live, 25 in a sandbox, 25 for one endpoint. */
export const limitsOf = (livemode: boolean): Limits => ({
  account: livemode ? 80 : 20,
  endpoint: 20,
  burst: BURST,
})

export interface Limiter {
  /** Returns when a request to this endpoint may be sent. */
  take(endpoint: string): Promise<void>
}

/** A turn of a person's may be this far ahead before they are told to come back. */
const PATIENCE_SECONDS = 10
/** Background work takes only turns that have come already: so whoever comes next waits one slot at most. */
const BACKGROUND_SECONDS = 0
/** Those of the background that wait for the same turn do not ask at the same moment. */
const SPREAD_MS = 5
/** Background work gives up after so long without a turn; it is tried again by whoever began it. */
const MOST_WAITING_MS = 60_000

const background = new AsyncLocalStorage<true>()

/** Marks work that nobody waits for: its requests stand behind those of people. */
export function inBackground<T>(work: () => Promise<T>): Promise<T> {
  return background.run(true, work)
}

/**
 * One row for the account and one for each endpoint, shared by all processes: the moment at which the
 * next request may go out (GCRA). Taking a turn moves it by one interval; how far it lies ahead is how
 * long to wait.
 */
export function makeLimiter(pool: Pool, pace: Pace, name: string, limits: Limits): Limiter {
  const made = new Set<string>()
  const intervals = [1 / limits.account, 1 / limits.endpoint]
  const inLine = newLines()

  /** What came of asking once, with a turn that may be so far ahead. */
  const ask = async (endpoint: string, patience: number): Promise<{ taken: boolean; waitMs: number }> => {
    const names = [name, `${name} ${endpoint}`]
    const { rows } = await pool.query<Turn>(TAKE, [names, intervals, limits.burst, patience])
    const waitMs = 1000 * Math.max(0, ...rows.map(({ wait }) => wait))
    return { taken: rows.filter(({ taken }) => taken).length === names.length, waitMs }
  }

  const takeAsPerson = async (endpoint: string): Promise<void> => {
    const { taken, waitMs } = await ask(endpoint, PATIENCE_SECONDS)
    if (!taken) throw tooMany()
    if (waitMs > 0) await pace.wait(waitMs)
  }

  const takeInBackground = async (endpoint: string): Promise<void> => {
    for (let waited = 0; ; ) {
      const { taken, waitMs } = await ask(endpoint, BACKGROUND_SECONDS)
      if (taken) return
      if (waited > MOST_WAITING_MS) throw tooMany()
      // To the moment at which the turn is free, and not by trial: a turn that nobody takes is lost.
      const pause = waitMs + pace.random() * SPREAD_MS
      await pace.wait(pause)
      waited += pause
    }
  }

  return {
    async take(endpoint) {
      if (!made.has(endpoint)) await pool.query(MAKE, [[name, `${name} ${endpoint}`]])
      made.add(endpoint)
      if (background.getStore()) await inLine(endpoint, () => takeInBackground(endpoint))
      else await takeAsPerson(endpoint)
    },
  }
}

const tooMany = () =>
  new Problem('rate_limited', 'The payment provider takes no more requests at the moment.', {
    retryAfterSeconds: PATIENCE_SECONDS,
  })

/** One after another by name: whoever asked beside the first in line would only stand in its way. */
function newLines() {
  const lines = new Map<string, Promise<void>>()
  return (line: string, work: () => Promise<void>): Promise<void> => {
    const turn = (lines.get(line) ?? Promise.resolve()).then(work)
    // Whether it failed is for whoever waits for it, and not for those behind.
    lines.set(
      line,
      turn.catch(() => {}),
    )
    return turn
  }
}

interface Turn {
  readonly taken: boolean
  /** Seconds: until the request may go out, or until it is worth asking again. */
  readonly wait: number
}

/**
 * Takes a turn in every row or in none: unless all are there and near enough, it says how much too long the line is,
 * and locks nothing where that is seen at once.
 * Rows are locked in the order given, account first, so that two processes never wait for each other.
 */
const TAKE = `
  with wanted as (
    select name, make_interval(secs => seconds) as interval, position
    from unnest($1::text[], $2::float8[]) with ordinality as t (name, seconds, position)
  ), seen as (
    select extract(epoch from max(l.arrival + w.interval) - clock_timestamp())::float8 - $4 as too_long
    from provider_limit l join wanted w on w.name = l.name
  ), locked as (
    select l.arrival + w.interval as turn from provider_limit l join wanted w on w.name = l.name
    where (select too_long from seen) <= 0
    order by w.position for update of l
  ), line as (
    select count(*) = (select count(*) from wanted) as whole,
           extract(epoch from max(turn) - clock_timestamp())::float8 - $4 as too_long
    from locked
  ), turn as (
    update provider_limit l
    set arrival = greatest(l.arrival, clock_timestamp() - w.interval * $3::int) + w.interval
    from wanted w, line
    where l.name = w.name and whole and too_long <= 0
    returning extract(epoch from l.arrival - clock_timestamp())::float8 as wait
  )
  select true as taken, wait from turn
  union all
  select false, greatest(seen.too_long, line.too_long, 0) from seen, line where not exists (select from turn)`

const MAKE = `
  insert into provider_limit (name, arrival) select name, 'epoch' from unnest($1::text[]) as t (name)
  on conflict (name) do nothing`
