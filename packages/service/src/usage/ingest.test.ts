import { Problem } from '@lockstep/core/problem'
import { expect, test } from 'vitest'
import type { Arrival, Arrivals } from './arrival.ts'
import { newIngest, type Outcome } from './ingest.ts'

const request = (size: number): Arrivals => Array.from({ length: size }, () => ({}) as Arrival)
const receiptOf = (arrivals: Arrivals): Outcome => ({
  receipt: { accepted: arrivals.length, duplicates: 0, conflicts: [] },
})
const codeOf = (work: () => Promise<unknown>) =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'accepted',
      (error: unknown) => (error instanceof Problem ? error.code : String(error)),
    )

/** A database that writes when it is told to. */
function newSlowDatabase() {
  const writes: { sizes: number[]; finish(): void }[] = []
  const write = (requests: readonly Arrivals[]) =>
    new Promise<Outcome[]>((resolve) => {
      writes.push({
        sizes: requests.map((one) => one.length),
        finish: () => resolve(requests.map(receiptOf)),
      })
    })
  return { writes, write }
}

test('what comes while a transaction runs shares the next one, up to its size, undivided', async () => {
  const { writes, write } = newSlowDatabase()
  const ingest = newIngest(write, { lanes: 1, batchSize: 10 })
  const first = ingest.take(request(3))
  await new Promise(setImmediate)
  const later = [4, 5, 6, 30, 1].map((size) => ingest.take(request(size)))
  expect(ingest.waiting()).toBe(46)
  for (let i = 0; i < 4; i += 1) {
    writes[i]?.finish()
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  expect(writes.map(({ sizes }) => sizes)).toEqual([[3], [4, 5], [6], [30], [1]])
  writes[4]?.finish()
  expect((await Promise.all([first, ...later])).map(({ accepted }) => accepted)).toEqual([3, 4, 5, 6, 30, 1])
})

test('a second transaction begins beside the first when much waits, and no sooner', async () => {
  const { writes, write } = newSlowDatabase()
  const ingest = newIngest(write, { lanes: 2, furtherLaneFrom: 3, furtherLaneAfterMs: 60_000 })
  void ingest.take(request(1))
  await new Promise(setImmediate)
  for (const size of [4, 5]) void ingest.take(request(size))
  await new Promise(setImmediate)
  expect(writes.map(({ sizes }) => sizes)).toEqual([[1]])
  void ingest.take(request(1))
  await new Promise(setImmediate)
  expect(writes.map(({ sizes }) => sizes)).toEqual([[1], [4, 5, 1]])
  for (const { finish } of writes) finish()
  await ingest.close()
})

test('nobody waits long behind a transaction that is stuck', async () => {
  const { writes, write } = newSlowDatabase()
  const ingest = newIngest(write, { lanes: 2, furtherLaneFrom: 3, furtherLaneAfterMs: 0 })
  void ingest.take(request(1))
  await new Promise(setImmediate)
  const second = ingest.take(request(2))
  await expect.poll(() => writes.length).toBe(2)
  writes[1]?.finish()
  expect(await second).toMatchObject({ accepted: 2 })
  writes[0]?.finish()
  await ingest.close()
})

test('beyond its bound it turns away at once, and takes again when there is room', async () => {
  const { writes, write } = newSlowDatabase()
  const ingest = newIngest(write, { lanes: 1, maxWaiting: 10 })
  void ingest.take(request(10))
  await new Promise(setImmediate)
  void ingest.take(request(9))
  expect(await codeOf(() => ingest.take(request(2)))).toBe('overloaded')
  writes[0]?.finish()
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  expect(writes[1]?.sizes).toEqual([9])
  void ingest.take(request(10))
  expect(ingest.waiting()).toBe(10)
})

test('what has waited too long is turned away unwritten', async () => {
  const { writes, write } = newSlowDatabase()
  const ingest = newIngest(write, { lanes: 1, patienceSeconds: 0 })
  const first = codeOf(() => ingest.take(request(1)))
  await new Promise(setImmediate)
  expect([await first, writes.length]).toEqual(['overloaded', 0])
})
