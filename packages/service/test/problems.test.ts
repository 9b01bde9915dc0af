import { defineRoute } from '@lockstep/api/define-route'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { newDatabase } from '../../../test/support/database.ts'
import { route } from '../src/http/route.ts'
import { ADMIN_KEY, newServer } from './support/server.ts'

const database = await newDatabase()
const { app, call, server, logged } = await newServer(database)
afterAll(async () => {
  await server.close()
  await database.drop()
})

const echo = defineRoute({
  id: 'echo',
  method: 'POST',
  path: '/v1/echo/:id',
  callers: { key: 'operations:write' },
  summary: 'For this test',
  tags: [],
  params: z.strictObject({ id: z.string().max(5) }),
  query: z.strictObject({ limit: z.coerce.number().max(10).default(1) }),
  body: z.strictObject({
    'a/b': z.string(),
    items: z.array(z.strictObject({ price: z.string(), size: z.number().min(1) })).default([]),
    either: z
      .union([
        z.strictObject({ kind: z.literal('a'), a: z.string() }),
        z.strictObject({ kind: z.literal('b') }),
      ])
      .optional(),
  }),
  answers: { 200: z.strictObject({ limit: z.number() }) },
  idempotent: false,
  bodyLimit: 2000,
})
route(app, echo)(async ({ query }) => ({ status: 200, body: { limit: query.limit } }))

const failing = defineRoute({
  id: 'failing',
  method: 'GET',
  path: '/v1/failing',
  callers: 'public',
  summary: 'For this test',
  tags: [],
  query: z.strictObject({ how: z.enum(['bug', 'database', 'answer']) }),
  answers: { 200: z.strictObject({ fine: z.boolean() }), 503: z.strictObject({ fine: z.boolean() }) },
})
route(
  app,
  failing,
)(async ({ query }) => {
  if (query.how === 'bug')
    throw new Error('SELECT secret FROM drawer; card 4242 4242 4242 4242 of ada@example.com')
  if (query.how === 'database') throw Object.assign(new Error('terminating connection'), { code: '57P01' })
  return { status: 200, body: { fine: true, password: 'not for you' } }
})

const post = (url: string, payload: string | object, headers: Record<string, string> = {}) =>
  call({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } })

test('every fault of path, query and body is told at once, each with its place', async () => {
  const answer = await post('/v1/echo/toolong?limit=99&limt=1', {
    items: [
      { price: 5, size: 0 },
      { size: 1, color: 'red' },
    ],
    other: 1,
    either: { kind: 'a' },
  })
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(answer).toMatchObject({
    status: 400,
    body: {
      type: '/docs/problems/invalid_request',
      title: 'The request is not valid.',
      status: 400,
      code: 'invalid_request',
      instance: '/v1/echo/toolong',
    },
  })
  const { errors } = answer.body as { errors: { pointer: string; code: string }[] }
  expect(errors.map(({ pointer, code }) => `${pointer} ${code}`).sort()).toEqual(
    [
      ':id too_big',
      '?limit too_big',
      '?limt unknown_field',
      '#/a~1b required',
      '#/items/0/price invalid_type',
      '#/items/0/size too_small',
      '#/items/1/price required',
      '#/items/1/color unknown_field',
      '#/either/a required',
      '#/other unknown_field',
    ].sort(),
  )
})

test('broken JSON is told with its place and without its content', async () => {
  const cases = [
    ['{"a/b": "secret",\n "items": [}', 'line 2, column 12'],
    ['{"a/b": "secret"', 'ends too early'],
    ['secret', 'line 1, column 1'],
    ['[1, 2', 'ends too early'],
    ['{"a/b": "secret", }', 'line 1, column 19'],
    ['{"a/b": tru, "secret": 1}', 'line 1, column 12'],
    ['{"a/b": "secret" "c": 1}', 'line 1, column 18'],
    ['{"a/b": "sec\\ret"', 'ends too early'],
    ['{"a/b": "\\x secret"}', 'line 1, column 11'],
    ['', 'JSON body is required'],
  ]
  for (const [payload = '', words = ''] of cases) {
    const answer = await post('/v1/echo/1', payload)
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(answer.text).toContain(words)
    expect(answer.text).not.toContain('secret')
    expect(answer.text).not.toMatch(/\bat \w+.*\.ts/)
  }
})

test('what is no JSON is not guessed at', async () => {
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
    expect(await post('/v1/echo/1', 'a=b', { 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    })
  }
  const latin1 = Buffer.from([0x22, 0xe9, 0x22])
  expect(await post('/v1/echo/1', latin1)).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('UTF-8') },
  })
})

test('an address that is none, and a method that an address does not take', async () => {
  expect(await call({ method: 'GET', url: '/v1/nothing' })).toMatchObject({
    status: 404,
    body: { code: 'route_not_found' },
  })
  const answer = await call({ method: 'GET', url: '/v1/echo/1' })
  expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
  expect(answer.headers).toMatchObject({
    allow: 'POST',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  })
})

test('a bug shows an id to quote and nothing else; the log has it, without secrets', async () => {
  const answer = await call({ method: 'GET', url: '/v1/failing?how=bug' })
  const { instance } = answer.body as { instance: string }
  expect(answer).toMatchObject({
    status: 500,
    body: { code: 'internal_error', detail: expect.stringContaining(instance) },
  })
  expect(answer.text).not.toContain('drawer')
  const line = logged.find((text) => text.includes(instance)) ?? ''
  expect(line).toContain('SELECT secret FROM drawer')
  expect(line).not.toContain('4242 4242')
  expect(line).not.toContain('ada@example.com')
})

test('an answer that the contract does not know is not sent', async () => {
  const answer = await call({ method: 'GET', url: '/v1/failing?how=answer' })
  expect(answer.status).toBe(500)
  expect(answer.text).not.toContain('not for you')
})

test('a database that is away is a 503 with the time to come back', async () => {
  const answer = await call({ method: 'GET', url: '/v1/failing?how=database' })
  expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
  expect(answer.headers['retry-after']).toBe('2')
})

test('ten megabytes are refused in words, over a real socket, and the connection goes on', async () => {
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  const send = (body: string | Buffer | ReadableStream, key = ADMIN_KEY) =>
    fetch(`${url}/v1/echo/1`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    } as RequestInit)

  const huge = Buffer.alloc(10_000_000, ' ')
  for (let i = 0; i < 5; i += 1) {
    const refused = await send(huge)
    expect(refused.status).toBe(413)
    expect(await refused.json()).toMatchObject({ code: 'body_too_large' })
  }
  // Without a length, so that it shows only while it is read.
  const chunks = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 100; i += 1) controller.enqueue(huge.subarray(0, 100_000))
      controller.close()
    },
  })
  expect((await send(chunks)).status).toBe(413)
  expect((await send(huge, 'lk_wrong')).status).toBe(401)
  expect((await send(JSON.stringify({ 'a/b': 'x' }))).status).toBe(200)
})

test('every problem code has a page at the address that its documents carry', async () => {
  const { problems } = await import('@lockstep/core/problem')
  for (const code of Object.keys(problems)) {
    const page = await call({ method: 'GET', url: `/docs/problems/${code}`, key: '' })
    expect(`${code} ${page.status}`).toBe(`${code} 200`)
    expect(page.text).toContain(code)
  }
  const shown = async (code: string, accept: string) => {
    const url = `/docs/problems/${code}`
    const { headers, text } = await call({ method: 'GET', url, key: '', headers: { accept } })
    return { type: headers['content-type'], vary: headers.vary, text }
  }
  // A browser's own words.
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
  for (const code of Object.keys(problems)) {
    const { type, vary, text } = await shown(code, browser)
    expect([type, vary]).toEqual(['text/html; charset=utf-8', 'accept'])
    expect(text).toContain(`<h1>${code}</h1>`)
    // Nothing of Markdown is left outside of code, and what is linked is there.
    const prose = text.replaceAll(/<(code|style)\b[^>]*>[\s\S]*?<\/\1>/g, '')
    expect(`${code} ${/\*\*|`|\]\(|^\s*(?:[-*#|>]|\d+\.) /m.exec(prose)?.[0]}`).toBe(`${code} undefined`)
    for (const [, other = ''] of text.matchAll(/href="\/docs\/problems\/(\w+)"/g))
      expect(problems).toHaveProperty(other)
  }
  const url = (await shown('webhook_url_refused', browser)).text
  expect(url.match(/<li>/g)).toHaveLength(3)
  expect(url).toContain('<strong>What to do.</strong> Give an <code>https</code> address')
  expect((await shown('forbidden', browser)).text).toContain(
    'authorization.md (<code>docs/authorization.md</code>)',
  )
  for (const accept of ['*/*', 'text/markdown', 'application/json', 'text/html;q=0, */*'])
    expect((await shown('forbidden', accept)).type).toBe('text/markdown; charset=utf-8')
  const list = await call({ method: 'GET', url: '/docs/problems/', key: '' })
  expect([list.status, list.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  const links = [...list.text.matchAll(/<a href="\/docs\/problems\/([a-z_]+)">/g)].map(([, code]) => code)
  expect(links).toEqual(Object.keys(problems).toSorted())
  const front = await call({ method: 'GET', url: '/', key: '' })
  for (const path of ['/docs', '/docs/problems', '/openapi.json', '/healthz'])
    expect(front.text).toContain(`<a href="${path}">`)
  expect((await call({ method: 'GET', url: '/docs/problems/..%2f..%2fREADME' })).status).toBe(404)
})

test('the embedded service answers to its own name only', async () => {
  const local = await newServer(database, { loopbackOnly: true })
  const answer = (host: string) => local.call({ method: 'GET', url: '/openapi.json', headers: { host } })
  for (const host of ['127.0.0.1:4000', 'localhost:4000', 'localhost', '[::1]:4000']) {
    expect((await answer(host)).status).toBe(200)
  }
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:4000']) {
    expect((await answer(host)).status).toBe(403)
  }
  await local.server.close()
})
