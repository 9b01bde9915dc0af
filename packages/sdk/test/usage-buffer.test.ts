import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import type { ProblemError } from '../src/problem-error.ts'
import type { UsageEvent } from '../src/usage.ts'
import {
  openUsageBuffer,
  type UsageBuffer,
  UsageBufferFull,
  type UsageBufferOptions,
} from '../src/usage-buffer.ts'

/** A service over a real socket, of which the test says how it feels; it keeps events like ours does. */
const kept = new Map<string, UsageEvent>()
let requests: UsageEvent[][] = []
let answer: (events: UsageEvent[]) => { status: number; headers?: Record<string, string>; body: unknown } =
  take

function take(events: UsageEvent[]) {
  const duplicates = events.filter(({ id }) => kept.has(id)).length
  for (const event of events) kept.set(event.id, event)
  return { status: 200, body: { accepted: events.length - duplicates, duplicates, conflicts: [] } }
}

const problem = (status: number, code: string, errors: object[] = []) => ({
  status,
  body: { type: 'about:blank', title: 'No.', status, code, detail: 'Not now.', errors },
})

const service = createServer((request, response) => {
  let text = ''
  request.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  request.on('end', () => {
    const events = JSON.parse(text) as UsageEvent[]
    requests.push(events)
    const { status, headers = {}, body } = answer(events)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  })
}).listen(0, '127.0.0.1')
await once(service, 'listening')
const baseUrl = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
afterAll(() => {
  service.closeAllConnections()
  service.close()
})

const client = createClient({ baseUrl, retry: { attempts: 1 } })
let directory: string
let opened: UsageBuffer[]

beforeEach(() => {
  kept.clear()
  requests = []
  answer = take
  opened = []
  directory = mkdtempSync(join(tmpdir(), 'lockstep-buffer-'))
})
afterEach(async () => {
  for (const buffer of opened) await buffer.close()
  rmSync(directory, { recursive: true, force: true })
})

async function open(options: Partial<UsageBufferOptions> = {}): Promise<UsageBuffer> {
  const nap = () => new Promise<void>((resolve) => setImmediate(resolve))
  const buffer = await openUsageBuffer({ client, directory, gatherSeconds: 0, sleep: nap, ...options })
  opened.push(buffer)
  return buffer
}

const event = (id: string, more: Partial<UsageEvent> = {}): UsageEvent => ({
  source: 'test',
  id,
  type: 'calls',
  subject: 'ada',
  time: '2026-01-31T09:30:00Z',
  data: { quantity: '1' },
  ...more,
})
const ids = (count: number) => Array.from({ length: count }, (_, i) => `event-${i}`)

test('what is recorded is sent in order, in batches, and leaves nothing on the disk', async () => {
  const buffer = await open()
  const names = ids(2500)
  await Promise.all(names.map((id) => buffer.record(event(id))))
  await buffer.flush()
  expect([...kept.keys()]).toEqual(names)
  expect(requests.length).toBeLessThanOrEqual(20)
  expect(Math.max(...requests.map(({ length }) => length))).toBeLessThanOrEqual(1000)
  expect(buffer.bytes).toBe(0)
  expect(readdirSync(directory)).toEqual(['lock'])
})

test('while nobody can be reached it waits, as long as the service asks for, and loses nothing', async () => {
  let tries = 0
  const told: [string, number][] = []
  answer = (events) => {
    tries += 1
    if (tries <= 2) return { ...problem(503, 'overloaded'), headers: { 'retry-after': '7' } }
    if (tries === 3) return problem(401, 'unauthorized')
    return take(events)
  }
  const pauses: number[] = []
  const buffer = await open({
    random: () => 0.5,
    sleep: async (seconds) => void pauses.push(seconds),
    onProblem: (error, seconds) => told.push([(error as ProblemError).code, seconds]),
  })
  await buffer.record(event('one'))
  await buffer.flush()
  expect([...kept.keys()]).toEqual(['one'])
  // The third failure in a row: three quarters of 0.5 s × 2 × 2.
  expect(told).toEqual([
    ['overloaded', 7],
    ['overloaded', 7],
    ['unauthorized', 1.5],
  ])
  expect(pauses).toEqual([7, 7, 1.5])
})

test('the next process sends what the one before recorded, also where its answer was lost', async () => {
  answer = () => problem(503, 'database_unavailable')
  const first = await open()
  for (const id of ['one', 'two']) await first.record(event(id))
  await first.close()
  answer = take
  const second = await open()
  await second.record(event('three'))
  await second.flush()
  expect([...kept.keys()]).toEqual(['one', 'two', 'three'])
})

test('killed in the middle of everything, whatever was recorded arrives', async () => {
  const recorder = fileURLToPath(new URL('usage-recorder.ts', import.meta.url))
  const recorded: string[] = []
  for (let round = 0; round < 3; round += 1) {
    // Every other request fails, so that some is sent, some waits, some is on its way.
    let count = 0
    answer = (events) => {
      count += 1
      return count % 2 === 0 ? problem(503, 'overloaded') : take(events)
    }
    const child = spawn(process.execPath, [recorder, baseUrl, directory, `round-${round}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (output.split('\n').length > 300) child.kill('SIGKILL')
    })
    await once(child, 'close')
    expect(child.signalCode).toBe('SIGKILL')
    recorded.push(...output.split('\n').slice(0, -1))
  }
  answer = take
  const buffer = await open()
  await buffer.flush()
  expect(recorded.length).toBeGreaterThan(800)
  expect(recorded.filter((id) => !kept.has(id))).toEqual([])
})

test('half a line, half a mark and an unknown mark are what a crash may leave, and harm nothing', async () => {
  const line = (id: string) => `${JSON.stringify(event(id))}\n`
  writeFileSync(join(directory, '000000000003.events'), `${line('one')}${line('two')}{"source":"te`)
  writeFileSync(join(directory, '000000000003.events.sent'), '')
  writeFileSync(join(directory, '000000000004.events.sent'), '10000')
  const buffer = await open()
  await buffer.record(event('three'))
  await buffer.flush()
  expect([...kept.keys()]).toEqual(['one', 'two', 'three'])
  expect(readdirSync(directory)).toEqual(['lock'])
})

test('a full buffer refuses, and takes again when there is room; what it took is not touched', async () => {
  answer = () => problem(503, 'overloaded')
  const size = Buffer.byteLength(`${JSON.stringify(event('event-0'))}\n`)
  const buffer = await open({ maxBytes: 3 * size })
  for (const id of ids(3)) await buffer.record(event(id))
  expect(buffer.bytes).toBe(3 * size)
  await expect(buffer.record(event('event-3'))).rejects.toThrow(UsageBufferFull)
  answer = take
  await buffer.flush()
  await buffer.record(event('event-3'))
  await buffer.flush()
  expect([...kept.keys()]).toEqual(ids(4))
})

test('an event that cannot be right is refused at once; one that the service does not take holds nobody up', async () => {
  const told: string[] = []
  const buffer = await open({ onRefused: (refused) => told.push(...refused.map(({ event: { id } }) => id)) })
  await expect(buffer.record(event('x', { data: { quantity: '1e3' } }))).rejects.toThrow('has no exponent')
  await expect(buffer.record(event(''))).rejects.toThrow('The id is empty.')

  let known = ['ada']
  answer = (events) => {
    const errors = events.flatMap(({ subject }, i) =>
      known.includes(subject)
        ? []
        : [{ pointer: `#/${i}/subject`, code: 'customer_unknown', detail: 'Nobody.' }],
    )
    return errors.length > 0 ? problem(422, 'usage_event_invalid', errors) : take(events)
  }
  await Promise.all(ids(5).map((id, i) => buffer.record(event(id, { subject: i % 2 === 0 ? 'ada' : 'ben' }))))
  await buffer.flush()
  expect([...kept.keys()]).toEqual(['event-0', 'event-2', 'event-4'])
  expect(told).toEqual(['event-1', 'event-3'])
  expect(await buffer.refused()).toMatchObject([
    { event: { id: 'event-1' }, faults: [{ code: 'customer_unknown' }] },
    { event: { id: 'event-3' } },
  ])
  known = ['ada', 'ben']
  await buffer.retryRefused()
  await buffer.flush()
  expect(kept.size).toBe(5)
  expect(await buffer.refused()).toEqual([])
})

test('what will never be taken is given up by whom it belongs to: it is not sent again, and makes room', async () => {
  const nobody = (i: number) => ({ pointer: `#/${i}/subject`, code: 'customer_unknown', detail: 'Nobody.' })
  let known = ['ada']
  answer = (events) => {
    const errors = events.flatMap(({ subject }, i) => (known.includes(subject) ? [] : [nobody(i)]))
    return errors.length > 0 ? problem(422, 'usage_event_invalid', errors) : take(events)
  }
  const buffer = await open({ maxBytes: 4000 })
  const subjects = ['ada', 'ben', 'cleo', 'ben']
  await Promise.all(ids(4).map((id, i) => buffer.record(event(id, { subject: subjects[i] ?? '' }))))
  await buffer.flush()
  const before = buffer.bytes
  const isBens = ({ event: { subject } }: { event: UsageEvent }) => subject === 'ben'
  const gone = await buffer.discardRefused(isBens)
  expect(gone.map(({ event: { id } }) => id)).toEqual(['event-1', 'event-3'])
  const [left, ...others] = await buffer.refused()
  expect([left?.event.id, others]).toEqual(['event-2', []])
  expect(buffer.bytes).toBe(Buffer.byteLength(`${JSON.stringify(left)}\n`))
  expect(buffer.bytes).toBeLessThan(before)
  expect(await buffer.discardRefused(isBens)).toEqual([])

  // Also after a hand-over that a crash cut short; half a line that it left is nobody's.
  await buffer.close()
  opened = []
  const line = (id: string) => `${JSON.stringify({ event: event(id, { subject: 'ben' }), faults: [] })}\n`
  writeFileSync(join(directory, 'refused-taken.ndjson'), `${line('event-8')}${line('event-9').slice(0, 9)}`)
  const next = await open()
  expect((await next.discardRefused(isBens)).map(({ event: { id } }) => id)).toEqual(['event-8'])
  known = ['ada', 'ben', 'cleo']
  await next.retryRefused()
  await next.flush()
  expect([...kept.keys()].toSorted()).toEqual(['event-0', 'event-2'])
  expect([await next.refused(), next.bytes]).toEqual([[], 0])
})

test('a conflict is told, and counts as answered', async () => {
  answer = (events) => ({
    status: 200,
    body: {
      accepted: 0,
      duplicates: 0,
      conflicts: events.map(({ id, source }, index) => ({ index, source, id })),
    },
  })
  const conflicts: string[] = []
  const buffer = await open({ onConflict: (events) => conflicts.push(...events.map(({ id }) => id)) })
  await buffer.record(event('one'))
  await buffer.flush()
  expect(conflicts).toEqual(['one'])
  expect(buffer.bytes).toBe(0)
})

test('a request that is too large is sent in halves', async () => {
  answer = (events) => (events.length > 3 ? problem(413, 'body_too_large') : take(events))
  const buffer = await open()
  await Promise.all(ids(20).map((id) => buffer.record(event(id))))
  await buffer.flush()
  expect([...kept.keys()]).toEqual(ids(20))
})

test('a directory is for one process at a time, but never kept by one that is dead', async () => {
  const buffer = await open()
  await expect(open()).rejects.toThrow('is in use by this process')
  await buffer.close()
  // A number that was given to another process meanwhile: ours, which began at another time.
  writeFileSync(join(directory, 'lock'), `${process.ppid} 1`)
  await (await open()).close()
  writeFileSync(join(directory, 'lock'), '')
  appendFileSync(join(directory, 'lock'), '999999999')
  await (await open()).close()
})

test('closed, it records no more', async () => {
  const buffer = await open()
  await buffer.close()
  await expect(buffer.record(event('one'))).rejects.toThrow('The usage buffer is closed.')
  await expect(buffer.flush()).rejects.toThrow('closed')
})
