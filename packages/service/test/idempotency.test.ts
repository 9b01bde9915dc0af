import { defineRoute } from '@lockstep/api/define-route'
import { Problem } from '@lockstep/core/problem'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { newDatabase } from '../../../test/support/database.ts'
import { route } from '../src/http/route.ts'
import { forgetRequestsBefore } from '../src/store/idempotency-keys.ts'
import { sqlTime } from '../src/store/time.ts'
import { newServer } from './support/server.ts'

const database = await newDatabase()
const { db } = database
const { app, call, server } = await newServer(database)
afterAll(async () => {
  await server.close()
  await database.drop()
})

const makeThing = defineRoute({
  id: 'makeThing',
  method: 'POST',
  path: '/v1/things',
  callers: { key: 'operations:write' },
  summary: 'For this test',
  tags: [],
  body: z.strictObject({ name: z.string(), size: z.number().optional() }),
  answers: { 201: z.strictObject({ operation: z.string(), times: z.number() }) },
})

let operations: string[] = []
let behave: (operation: string) => Promise<void> | void = () => {}
beforeEach(() => {
  operations = []
  behave = () => {}
})
route(
  app,
  makeThing,
)(async ({ operation }) => {
  operations.push(operation)
  await behave(operation)
  return { status: 201, body: { operation, times: operations.length } }
})

const send = (key: string | undefined, payload: object = { name: 'x' }) =>
  call({
    method: 'POST',
    url: '/v1/things',
    payload,
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })

test('a repetition gets the same bytes, and nothing is done again', async () => {
  const first = await send('same')
  const second = await send('same')
  expect(first.status).toBe(201)
  expect(first.headers['idempotent-replayed']).toBeUndefined()
  expect(second.status).toBe(201)
  expect(second.text).toBe(first.text)
  expect(second.headers).toMatchObject({
    'idempotent-replayed': 'true',
    'content-type': first.headers['content-type'],
  })
  expect(operations).toHaveLength(1)
})

test('the order of members does not make another body, another value does', async () => {
  await send('order', { name: 'x', size: 1 })
  expect((await send('order', { size: 1, name: 'x' })).status).toBe(201)
  const other = await send('order', { name: 'y', size: 1 })
  expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } })
  expect(operations).toHaveLength(1)
})

test('of twenty equal requests at one time one is done, the others are told to wait', async () => {
  let running = 0
  let othersAnswered: () => void = () => {}
  const others = new Promise<void>((resolve) => {
    othersAnswered = resolve
  })
  behave = () => others
  const all = Array.from({ length: 20 }, async () => {
    const answer = await send('parallel')
    if (answer.status === 409) running += 1
    if (running === 19) othersAnswered()
    return answer
  })
  const answers = await Promise.all(all)
  expect(operations).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
  for (const answer of answers.filter(({ status }) => status !== 201)) {
    expect(answer).toMatchObject({ status: 409, body: { code: 'idempotency_key_in_use' } })
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
  expect((await send('parallel')).headers['idempotent-replayed']).toBe('true')
})

test('a failure of ours is no answer: the next attempt goes on under the same name', async () => {
  behave = () => {
    throw new Error('the disk is on fire')
  }
  expect((await send('failing')).status).toBe(500)
  behave = () => {}
  expect((await send('failing')).status).toBe(201)
  expect(operations).toHaveLength(2)
  expect(operations[1]).toBe(operations[0])
})

test('a refusal is an answer and is repeated, unless it says when to come back', async () => {
  behave = () => {
    throw new Problem('card_declined', 'The bank said no.')
  }
  const first = await send('declined')
  behave = () => {}
  const second = await send('declined')
  expect(first).toMatchObject({ status: 402, body: { code: 'card_declined', instance: '/v1/things' } })
  expect(second.text).toBe(first.text)
  expect(second.headers['content-type']).toContain('application/problem+json')

  behave = () => {
    throw new Problem('test_clock_busy', 'In a moment.', { retryAfterSeconds: 3 })
  }
  expect((await send('later')).headers['retry-after']).toBe('3')
  behave = () => {}
  expect((await send('later')).status).toBe(201)
})

test('who died over a request is followed by the next attempt once the lease is over', async () => {
  let die: () => void = () => {}
  const started = new Promise<void>((resolve) => {
    behave = () => {
      resolve()
      return new Promise<void>((_, reject) => {
        die = () => reject(new Error('ended at last'))
      })
    }
  })
  const dead = send('dead')
  await started
  expect((await send('dead')).status).toBe(409)
  await db
    .updateTable('idempotencyKey')
    .set({ lockedUntil: sqlTime(0) })
    .where('key', '=', 'dead')
    .execute()
  behave = () => {}
  expect((await send('dead')).status).toBe(201)
  expect(new Set(operations).size).toBe(1)
  die()
  await dead
  expect((await send('dead')).headers['idempotent-replayed']).toBe('true')
})

test('without a key every request is one of its own', async () => {
  await send(undefined)
  await send(undefined)
  expect(new Set(operations).size).toBe(2)
})

test('a key that is no key is refused', async () => {
  for (const key of ['', 'with blank', 'x'.repeat(256)]) {
    expect(await send(key)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ pointer: 'Idempotency-Key' }] },
    })
  }
})

test('answers lie sealed in the database and are forgotten after their time', async () => {
  const made = await call({
    method: 'POST',
    url: '/v1/api-keys',
    payload: { name: 'sealed', scopes: ['usage:write'] },
    headers: { 'idempotency-key': 'secret' },
  })
  const { key } = made.body as { key: string }
  const rows = await db.selectFrom('idempotencyKey').selectAll().execute()
  expect(rows.length).toBeGreaterThan(0)
  expect(JSON.stringify(rows)).not.toContain(key)
  expect(JSON.stringify(rows)).not.toContain('sealed')

  await forgetRequestsBefore(db, sqlTime(app.clock.now() + 1))
  expect(await db.selectFrom('idempotencyKey').selectAll().execute()).toEqual([])
})
