import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientOptions, createClient } from './client.ts'
import { ConnectionError, ProblemError } from './problem-error.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

type Reply = { status?: number; headers?: Record<string, string>; body?: unknown } | 'hang up' | 'silence'

let seen: Seen[] = []
let replies: Reply[] = []
let pauses: number[] = []
let close: () => Promise<void>
let baseUrl: string

// A service that answers what the test says, over a real socket.
beforeEach(async () => {
  seen = []
  replies = []
  pauses = []
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  }
})
afterEach(() => close())

async function answer(request: IncomingMessage, response: ServerResponse) {
  let text = ''
  for await (const chunk of request) text += chunk
  const { method = '', url = '', headers } = request
  seen.push({ method, url, headers, body: text === '' ? undefined : JSON.parse(text) })
  const reply = replies.shift() ?? {}
  if (reply === 'silence') return
  if (reply === 'hang up') return request.socket.destroy()
  const body = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {})
  response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers }).end(body)
}

function client(options: Partial<ClientOptions> = {}) {
  const retry = {
    random: () => 0.5,
    sleep: async (seconds: number) => {
      pauses.push(seconds)
    },
  }
  return createClient({ baseUrl: `${baseUrl}/`, apiKey: 'key_1', retry, ...options })
}

const problem = (status: number, code: string, errors?: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: {
    type: `/docs/problems/${code}`,
    title: 'Title.',
    status,
    code,
    detail: 'Detail.',
    instance: '/v1/x',
    ...(errors !== undefined && { errors }),
  },
})

describe('a call', () => {
  test('puts everything where the route says', async () => {
    const lockstep = client()
    await lockstep.invoices.sync('invoice_1/2', { dryRun: true })
    await lockstep.customers.read('customer_1')
    await lockstep.customers.update('customer_1', { name: null })
    expect(seen.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
      { method: 'POST', url: '/v1/invoices/invoice_1%2F2/sync?dryRun=true', body: undefined },
      { method: 'GET', url: '/v1/customers/customer_1', body: undefined },
      { method: 'PATCH', url: '/v1/customers/customer_1', body: { name: null } },
    ])
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer key_1'))
    expect(seen.map(({ headers }) => typeof headers['idempotency-key'])).toEqual([
      'string',
      'undefined',
      'undefined',
    ])
  })

  test('does not make another address of an empty id', async () => {
    await expect(client().customers.read('')).rejects.toThrow(TypeError)
    expect(seen).toEqual([])
  })

  test('throws a refusal as what it is', async () => {
    const faults = [{ pointer: '#/plan', code: 'unknown', detail: 'No plan `team`.' }]
    replies = [problem(422, 'plan_unknown', faults)]
    const error = await client()
      .registrations.create({ externalId: 'u', plan: 'team' })
      .catch((thrown) => thrown)
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ code: 'plan_unknown', status: 422, faults, instance: '/v1/x' })
    expect(error.message).toBe('Title. Detail. #/plan: No plan `team`.')
    // The page about it, where a person can open it.
    expect(error.type).toBe(`${baseUrl}/docs/problems/plan_unknown`)
    expect(seen).toHaveLength(1)
  })

  test('names the first fault in its message, once, and how many more there are', async () => {
    const fault = (detail: string) => ({ pointer: '#/a', code: 'unknown', detail })
    const messageOf = async (...faults: object[]) => {
      replies = [problem(422, 'plan_unknown', faults)]
      return client()
        .customers.read('x')
        .catch(({ message }) => message)
    }
    expect(await messageOf()).toBe('Title. Detail.')
    expect(await messageOf(fault('Wrong.'), fault('Wrong, too.'))).toBe(
      'Title. Detail. #/a: Wrong. And 1 more.',
    )
    expect(await messageOf(fault('Detail.'))).toBe('Title. Detail. (#/a)')
  })

  test('gives a page that is not ours no code of ours', async () => {
    replies = [{ status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>Not here</h1>' }]
    await expect(client().customers.read('x')).rejects.toMatchObject({
      code: 'unexpected_answer',
      status: 404,
    })
  })

  test('reads a 503 that is an answer', async () => {
    replies = [{ status: 503, body: { status: 'notReady', checks: [] } }]
    expect(await client().readiness()).toEqual({ status: 'notReady', checks: [] })
  })
})

describe('a try that failed', () => {
  test('is repeated with the same key, later each time', async () => {
    replies = ['hang up', problem(503, 'overloaded'), problem(409, 'idempotency_key_in_use'), { status: 201 }]
    await client().registrations.create({ externalId: 'u', plan: 'team' })
    expect(seen).toHaveLength(4)
    expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(pauses).toEqual([0.1875, 0.375, 0.75])
  })

  test('is repeated with the key that the caller gave', async () => {
    replies = ['hang up']
    await client().testClocks.create({ frozenTime: '2026-01-01T00:00:00Z' }, { idempotencyKey: 'mine' })
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual(['mine', 'mine'])
  })

  test('waits as long as the service asks, unless that is too long', async () => {
    const busy = { ...(problem(429, 'rate_limited') as object), headers: { 'retry-after': '7' } }
    replies = [busy]
    await client().customers.read('x')
    expect(pauses).toEqual([7])
    replies = [{ ...busy, headers: { 'retry-after': '3600' } }]
    await expect(client().customers.read('x')).rejects.toMatchObject({ retryAfterSeconds: 3600 })
    expect(pauses).toEqual([7])
  })

  test('is not repeated for ever', async () => {
    replies = Array<Reply>(9).fill('hang up')
    await expect(client().customers.read('x')).rejects.toMatchObject({
      name: 'ConnectionError',
      reason: 'unreachable',
    })
    expect(seen).toHaveLength(4)
  })

  test('ends in time', async () => {
    replies = ['silence']
    const once = client({ timeoutSeconds: 0.05, retry: { attempts: 1 } })
    const error = await once.customers.read('x').catch((thrown) => thrown)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error.reason).toBe('timeout')
  })

  test('ends when the caller gives up, by the caller’s reason', async () => {
    replies = ['silence']
    const controller = new AbortController()
    const sending = client().usage.send([], { signal: controller.signal })
    expect(await sending).toEqual({ accepted: 0, duplicates: 0, conflicts: [] })
    const reason = new Error('enough')
    const call = client().registrations.create({ externalId: 'u', plan: 'p' }, { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })
})

describe('a list', () => {
  const pages: Reply[] = [
    { body: { data: [{ id: 'a' }, { id: 'b' }], hasMore: true, nextCursor: 'two' } },
    { body: { data: [{ id: 'c' }], hasMore: false, nextCursor: null } },
  ]

  test('goes through all pages, with the same filter', async () => {
    replies = [...pages]
    const ids: string[] = []
    for await (const { id } of client().invoices.list({ status: 'open', limit: 2 })) ids.push(id)
    expect(ids).toEqual(['a', 'b', 'c'])
    expect(seen.map(({ url }) => url)).toEqual([
      '/v1/invoices?status=open&limit=2',
      '/v1/invoices?status=open&limit=2&after=two',
    ])
  })

  test('fetches no page that nobody asked for', async () => {
    const list = client().customers.list()
    expect(seen).toEqual([])
    replies = [...pages]
    for await (const { id } of list) if (id === 'a') break
    expect(seen).toHaveLength(1)
    replies = [...pages]
    expect(await list.first()).toEqual({ id: 'a' })
  })
})

describe('usage', () => {
  const event = (n: number) => ({
    source: 's',
    id: String(n),
    type: 'requests',
    subject: 'u',
    time: new Date(Date.UTC(2026, 0, 1)),
    data: { quantity: n },
  })
  const events = (count: number) => Array.from({ length: count }, (_, n) => event(n))

  test('goes out in batches, and what comes back is added up', async () => {
    const conflict = { index: 1, source: 's', id: '1001' }
    replies = [
      { body: { accepted: 990, duplicates: 10, conflicts: [] } },
      { body: { accepted: 500, duplicates: 0, conflicts: [conflict] } },
    ]
    const told: number[] = []
    const receipt = await client().usage.send(events(1501), { onBatch: (_, sent) => told.push(sent) })
    expect(receipt).toEqual({ accepted: 1490, duplicates: 10, conflicts: [{ ...conflict, index: 1001 }] })
    expect(told).toEqual([1000, 501])
    expect(seen[0]?.headers['content-type']).toBe('application/cloudevents-batch+json')
    expect(seen[0]?.headers['idempotency-key']).toBeUndefined()
    expect(seen[1]?.body).toHaveProperty('0', {
      specversion: '1.0',
      ...event(1000),
      time: '2026-01-01T00:00:00.000Z',
    })
  })

  test('names a fault by its place in everything that was given', async () => {
    const answer = { body: { accepted: 2, duplicates: 0, conflicts: [] } }
    replies = [
      answer,
      problem(422, 'usage_event_invalid', [{ pointer: '#/1/data/quantity', code: 'q', detail: 'd' }]),
    ]
    async function* source() {
      yield* events(4)
    }
    await expect(client().usage.send(source(), { batchSize: 2 })).rejects.toMatchObject({
      code: 'usage_event_invalid',
      faults: [{ pointer: '#/3/data/quantity' }],
    })
  })
})

test('waiting ends when it is done, and tells of every state', async () => {
  const clock = (status: string) => ({ body: { id: 'test_clock_1', status } })
  replies = [clock('advancing'), clock('advancing'), clock('ready')]
  const states: string[] = []
  await client().testClocks.ready('test_clock_1', { onProgress: ({ status }) => states.push(status) })
  expect(states).toEqual(['advancing', 'advancing', 'ready'])
})
