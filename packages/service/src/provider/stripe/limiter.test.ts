import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDatabase, type TestDatabase } from '../../../../../test/support/database.ts'
import { inBackground, makeLimiter } from './limiter.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await newDatabase()
})
afterAll(() => database.drop())

/** Remembers how long it was told to wait, and does not. */
function paceKeeper() {
  const waits: number[] = []
  return { waits, pace: { random: () => 0.5, wait: async (ms: number) => void waits.push(ms) } }
}

const limits = { account: 10, endpoint: 5, burst: 3 }

test('a burst goes out at once, what follows is spread by the narrower limit', async () => {
  const { waits, pace } = paceKeeper()
  const limiter = makeLimiter(database.pool, pace, 'spread', limits)
  for (let i = 0; i < 7; i += 1) await limiter.take('POST /v1/customers')
  // Nobody really waited, so the fourth is told 0.2 s, the seventh 0.8 s, less the time this took.
  expect(waits).toHaveLength(4)
  waits.forEach((wait, i) => {
    expect(wait).toBeGreaterThan(200 * (i + 1) - 150)
    expect(wait).toBeLessThanOrEqual(200 * (i + 1))
  })
})

test('other endpoints share only the account', async () => {
  const { waits, pace } = paceKeeper()
  const limiter = makeLimiter(database.pool, pace, 'shared', limits)
  for (const endpoint of ['a', 'b', 'c', 'd', 'e']) await limiter.take(endpoint)
  expect(waits).toHaveLength(2)
  expect(Math.max(...waits)).toBeLessThanOrEqual(200)
})

test('two processes take turns in one row', async () => {
  const { waits, pace } = paceKeeper()
  const one = makeLimiter(database.pool, pace, 'two', limits)
  const other = makeLimiter(database.pool, pace, 'two', limits)
  await Promise.all([one, other].flatMap((limiter) => Array.from({ length: 8 }, () => limiter.take('x'))))
  // Sixteen at five a second with three at once: the last goes out 2.6 s after the first.
  expect(waits).toHaveLength(13)
  expect(Math.max(...waits)).toBeGreaterThan(2200)
  expect(new Set(waits.map((wait) => Math.round(wait / 50))).size).toBe(13)
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
  const limiter = makeLimiter(database.pool, pace, 'people', limits)
  // Three at once, and three more in line: 0.6 s.
  for (let i = 0; i < 6; i += 1) await limiter.take('x')
  const { waits, pace: passes } = passing('people')
  const patient = makeLimiter(database.pool, passes, 'people', limits)
  await inBackground(() => patient.take('x'))
  // Until the line is empty and its own turn has come, with no question in between.
  expect(waits).toHaveLength(1)
  expect(waits[0]).toBeGreaterThan(800 - 300)
  expect(waits[0]).toBeLessThanOrEqual(800 + 5)
})

test('however much the background does, a person waits one slot at most', async () => {
  const { pace: passes } = passing('slot')
  const patient = makeLimiter(database.pool, passes, 'slot', limits)
  const { waits, pace } = paceKeeper()
  const limiter = makeLimiter(database.pool, pace, 'slot', limits)
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
  const limiter = makeLimiter(database.pool, pace, 'long', { account: 1, endpoint: 1, burst: 1 })
  const turns = async () => {
    for (let i = 0; i < 20; i += 1) await limiter.take('x')
  }
  await expect(turns()).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 10 })
})
