import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../../../test/support/database.ts'
import { type Connection, connect } from '../../postgres/connect.ts'
import { inBackground, makeLimiter } from './limiter.ts'

let database: TestDatabase
/** For it time stands still, but for who waits: the clock is a function of another schema, which is looked for first. */
let still: Connection
beforeAll(async () => {
  database = await newDatabase()
  await database.pool.query(`create schema still; create function still.clock_timestamp() returns timestamptz
    language sql as $$ select timestamptz '2026-01-31T09:30:00Z' $$`)
  const url = new URL(database.url)
  url.searchParams.set('options', '-c timezone=UTC -c search_path=still,pg_catalog,public')
  still = connect(url.href)
})
afterAll(async () => {
  await still.close()
  await database.drop()
})

/** Remembers how long it was told to wait, and does not. */
function paceKeeper() {
  const waits: number[] = []
  return { waits, pace: { random: () => 0.5, wait: async (ms: number) => void waits.push(ms) } }
}

const limits = { account: 10, endpoint: 5, burst: 3 }
/** One turn in two seconds for an endpoint. */
const slow = { account: 1, endpoint: 1 / 2, burst: 3 }

test('a burst goes out at once, what follows is spread by the narrower limit', async () => {
  const { waits, pace } = paceKeeper()
  const limiter = makeLimiter(still.pool, pace, 'spread', slow)
  for (let i = 0; i < 7; i += 1) await limiter.take('POST /v1/customers')
  // Nobody really waited, so the fourth is told 2 s, the seventh 8 s.
  expect(waits).toEqual([2000, 4000, 6000, 8000])
})

test('other endpoints share only the account', async () => {
  const { waits, pace } = paceKeeper()
  // One turn in a thousand seconds, so that no time that this takes gives one back; an endpoint alone takes ten times longer.
  const rare = { account: 1 / 1000, endpoint: 1 / 10_000, burst: 3 }
  const limiter = makeLimiter(still.pool, pace, 'shared', rare)
  for (const endpoint of ['a', 'b', 'c']) await limiter.take(endpoint)
  expect(waits).toEqual([])
  // The account's fourth turn is a thousand seconds away, further than anybody waits.
  await expect(limiter.take('d')).rejects.toMatchObject({ code: 'rate_limited' })
  // One endpoint alone has its three as well.
  const own = makeLimiter(still.pool, pace, 'alone', { ...rare, account: 1 / 100 })
  for (let i = 0; i < 3; i += 1) await own.take('a')
  expect(waits).toEqual([])
})

test('two processes take turns in one row', async () => {
  const { waits, pace } = paceKeeper()
  const one = makeLimiter(still.pool, pace, 'two', slow)
  const other = makeLimiter(still.pool, pace, 'two', slow)
  await Promise.all([one, other, one, other, one, other, one].map((limiter) => limiter.take('x')))
  // Seven at one in two seconds with three at once: four wait, the last 8 s.
  expect(waits.toSorted((a, b) => a - b)).toEqual([2000, 4000, 6000, 8000])
})

/** Time passes for the rows of `name` by as much as somebody waits. */
const passing = (name: string) => {
  const waits: number[] = []
  const wait = async (ms: number) => {
    waits.push(ms)
    await database.pool.query(
      `update provider_limit set arrival = arrival - make_interval(secs => $2) where name like $1 || '%'`,
      [name, ms / 1000],
    )
  }
  return { waits, pace: { random: () => 0.5, wait } }
}

test('background work goes to the end of the line and takes its turn when it is free, not by trial', async () => {
  const { pace } = paceKeeper()
  const limiter = makeLimiter(still.pool, pace, 'people', slow)
  // Three at once, and three more in line: 6 s.
  for (let i = 0; i < 6; i += 1) await limiter.take('x')
  const { waits, pace: passes } = passing('people')
  const patient = makeLimiter(still.pool, passes, 'people', slow)
  await inBackground(() => patient.take('x'))
  // Until the line is empty and its own turn has come, with no question in between; and half of the 5 ms that spread such work.
  expect(waits).toEqual([8002.5])
})

test('however much the background does, a person waits one slot at most', async () => {
  const { pace: passes } = passing('slot')
  const patient = makeLimiter(still.pool, passes, 'slot', limits)
  const { waits, pace } = paceKeeper()
  const limiter = makeLimiter(still.pool, pace, 'slot', limits)
  for (let round = 0; round < 5; round += 1) {
    await inBackground(async () => {
      for (let i = 0; i < 6; i += 1) await patient.take('x')
    })
    await limiter.take('x')
    // The person's own turn is in the line now; the background waits for it.
  }
  // A fifth of a second is the slot of the endpoint.
  for (const wait of waits) expect(wait).toBeLessThanOrEqual(200)
})

test('a queue that is too long is refused, and told when to come back', async () => {
  const { pace } = paceKeeper()
  const limiter = makeLimiter(still.pool, pace, 'long', { account: 1, endpoint: 1, burst: 1 })
  const turns = async () => {
    for (let i = 0; i < 20; i += 1) await limiter.take('x')
  }
  await expect(turns()).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 10 })
})
