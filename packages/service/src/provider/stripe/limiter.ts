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

/** https://docs.stripe.com/rate-limits: 100 a second live, 25 in a sandbox, 25 for one endpoint. */
export const limitsOf = (livemode: boolean): Limits => ({
  account: livemode ? 80 : 20,
  endpoint: 20,
  burst: 5,
})

export interface Limiter {
  /** Returns when a request to this endpoint may be sent. */
  take(endpoint: string): Promise<void>
}

/** A person waits this long for a turn before being told to come back. */
const PATIENCE_SECONDS = 10
/** Background work asks for a turn only when the queue is shorter than this, so people come first. */
const BACKGROUND_SECONDS = 0.2

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
  return {
    async take(endpoint) {
      const names = [name, `${name} ${endpoint}`]
      if (!made.has(endpoint)) await pool.query(MAKE, [names])
      made.add(endpoint)
      const intervals = [1 / limits.account, 1 / limits.endpoint]
      const patience = background.getStore() ? BACKGROUND_SECONDS : PATIENCE_SECONDS
      for (let tries = 0; ; tries += 1) {
        const { rows } = await pool.query<{ wait: number }>(TAKE, [names, intervals, limits.burst, patience])
        if (rows.length === names.length) {
          const wait = Math.max(0, ...rows.map((row) => row.wait))
          if (wait > 0) await pace.wait(wait * 1000)
          return
        }
        if (!background.getStore() || tries > 300) {
          throw new Problem('rate_limited', 'The payment provider takes no more requests at the moment.', {
            retryAfterSeconds: PATIENCE_SECONDS,
          })
        }
        await pace.wait((0.5 + pace.random()) * BACKGROUND_SECONDS * 1000)
      }
    },
  }
}

/**
 * Takes a turn in every row or in none: `open` is empty unless all rows are there and near enough.
 * Rows are locked in the order given, account first, so that two processes never wait for each other.
 */
const TAKE = `
  with wanted as (
    select name, make_interval(secs => seconds) as interval, position
    from unnest($1::text[], $2::float8[]) with ordinality as t (name, seconds, position)
  ), locked as (
    select l.arrival from provider_limit l join wanted w on w.name = l.name
    order by w.position for update of l
  ), open as (
    select from locked
    having count(*) = (select count(*) from wanted)
       and max(arrival) <= clock_timestamp() + make_interval(secs => $4)
  )
  update provider_limit l
  set arrival = greatest(l.arrival, clock_timestamp() - w.interval * $3::int) + w.interval
  from wanted w, open
  where l.name = w.name
  returning extract(epoch from l.arrival - clock_timestamp())::float8 as wait`

const MAKE = `
  insert into provider_limit (name, arrival) select name, 'epoch' from unnest($1::text[]) as t (name)
  on conflict (name) do nothing`
