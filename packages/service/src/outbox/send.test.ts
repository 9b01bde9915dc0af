import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newGuard } from './addresses.ts'
import { type Resolve, send } from './send.ts'

let server: Server
let port: number
let requests = 0
beforeAll(async () => {
  server = createServer((request, response) => {
    requests += 1
    if (request.url === '/moved')
      response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end('there')
    else if (request.url === '/long') response.writeHead(200).end('x'.repeat(1_000_000))
    else if (request.url === '/drip') response.writeHead(200).write('begins', () => response.socket?.end())
    else if (request.url !== '/silent') response.writeHead(200).end('taken')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** A name that stands for these addresses. */
const standsFor =
  (...addresses: string[]): Resolve =>
  (_, __, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

const loopback = newGuard(['127.0.0.0/8'])
const message = (path = '/', host = 'app.test') => ({
  url: `http://${host}:${port}${path}`,
  headers: {},
  body: '{}',
})

test('a name is sent to where all its addresses may be reached', async () => {
  const answer = await send({ guard: loopback, resolve: standsFor('127.0.0.1') }, message())
  expect(answer).toMatchObject({ status: 200, body: 'taken', problem: null })
})

test.each([
  ['127.0.0.1'],
  ['10.0.0.1'],
  ['169.254.169.254'],
  ['::1'],
  ['::ffff:127.0.0.1'],
  // One of several: which one is tried is not ours to say.
  ['8.8.8.8', '10.0.0.1'],
])('a name that stands for %s is not, whatever it stood for before', async (...addresses) => {
  const before = requests
  const answer = await send({ guard: newGuard([]), resolve: standsFor(...addresses) }, message())
  expect(answer).toMatchObject({ status: null, body: null })
  expect(answer.problem).toMatch(/not an address of the open internet/)
  expect(requests).toBe(before)
})

test('an address in place of a name is looked at, too', async () => {
  const before = requests
  for (const host of ['127.0.0.1', '127.1', '0x7f000001', '[::ffff:7f00:1]'])
    expect((await send({ guard: newGuard([]) }, message('/', host))).problem).toMatch(/not an address/)
  expect(requests).toBe(before)
})

test('a redirect is an answer, and is not followed', async () => {
  const before = requests
  const answer = await send({ guard: loopback }, message('/moved', '127.0.0.1'))
  expect(answer).toMatchObject({ status: 302, body: 'there' })
  expect(requests).toBe(before + 1)
})

test('of a long answer the beginning is kept, and of one that breaks off what came', async () => {
  expect((await send({ guard: loopback }, message('/long', '127.0.0.1'))).body).toBe('x'.repeat(2048))
  const broken = await send({ guard: loopback }, message('/drip', '127.0.0.1'))
  expect(broken).toMatchObject({ status: 200, body: 'begins' })
})

test('no answer in time, and nobody there, are told apart', async () => {
  const silent = await send({ guard: loopback, timeoutMs: 100 }, message('/silent', '127.0.0.1'))
  expect(silent).toMatchObject({ status: null, problem: 'No answer came in time.' })
  const nobody = await send({ guard: loopback }, { url: 'http://127.0.0.1:1/', headers: {}, body: '{}' })
  expect(nobody).toMatchObject({ status: null, problem: 'The connection failed: ECONNREFUSED.' })
})
