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

test('background work leaves the queue to people', async () => {
  const { pace } = paceKeeper()
  const limiter = makeLimiter(database.pool, pace, 'people', limits)
  for (let i = 0; i < 6; i += 1) await limiter.take('x')
  let asked = 0
  const patient = makeLimiter(
    database.pool,
    {
      random: () => 0.5,
      // Instead of waiting, the queue gets shorter: by the time of one question.
      wait: async () => {
        asked += 1
        await database.pool.query(`update provider_limit set arrival = arrival - interval '0.2 seconds'`)
      },
    },
    'people',
    limits,
  )
  await inBackground(() => patient.take('x'))
  expect(asked).toBeGreaterThan(0)
})

test('a queue that is too long is refused, and told when to come back', async () => {
  const { pace } = paceKeeper()
  const limiter = makeLimiter(database.pool, pace, 'long', { account: 1, endpoint: 1, burst: 1 })
  const turns = async () => {
    for (let i = 0; i < 20; i += 1) await limiter.take('x')
  }
  await expect(turns()).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 10 })
})
