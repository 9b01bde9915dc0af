import { afterAll, expect, test } from 'vitest'
import { usageEventRoutes } from '../src/http/routes/usage-events.ts'
import { newServer } from './support/server.ts'
import { newUsageWorld } from './support/usage-world.ts'

const world = await newUsageWorld()
const { usage, event } = world
const { app, call } = await newServer(world)
usageEventRoutes(app, { usage })
afterAll(() => world.close())

interface Answer {
  readonly accepted?: number
  readonly duplicates?: number
  readonly code?: string
  readonly detail?: string
  readonly errors?: { pointer: string; code: string }[]
}

const post = async (headers: Record<string, string>, body?: unknown) => {
  const request = { method: 'POST', url: '/v1/usage-events', headers } as const
  const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
  const { status, body: answer } = await call({ ...request, ...payload })
  return { ...(answer as Answer), status }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=UTF-8' }
const BATCHED = { 'content-type': 'application/cloudevents-batch+json' }

const time = '2026-03-31T10:15:00Z'
const binary = (id: string, more: Record<string, string> = {}) => ({
  ...JSON_TYPE,
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': 'default',
  'ce-type': 'sum',
  'ce-subject': 'ada',
  'ce-time': time,
  ...more,
})

test('one event, written in each form, is one event', async () => {
  const one = { specversion: '1.0', id: 'one', source: 'default', type: 'sum', subject: 'ada', time }
  const data = { region: 'eu', quantity: '2.5' }
  const plain = { id: 'one', meter: 'sum', externalId: 'ada', quantity: '2.50', time, data: { region: 'eu' } }
  expect(await post(STRUCTURED, { ...one, data })).toMatchObject({ status: 200, accepted: 1 })
  expect(await post(BATCHED, [{ ...one, data }])).toMatchObject({ status: 200, duplicates: 1 })
  expect(await post(binary('one'), data)).toMatchObject({ status: 200, duplicates: 1 })
  expect(await post(JSON_TYPE, plain)).toMatchObject({ status: 200, duplicates: 1 })
  expect(await post(JSON_TYPE, [plain, { ...plain, id: 'two' }])).toMatchObject({
    accepted: 1,
    duplicates: 1,
  })
  expect(await world.counts()).toEqual({ identities: 2n, events: 2n, counted: 2n, same: true })
})

test('an event in binary mode needs no body where its meter needs no quantity', async () => {
  const { 'content-type': _, ...headers } = binary('counted', { 'ce-type': 'count' })
  expect(await post(headers)).toMatchObject({ status: 200, accepted: 1 })
})

test('attributes in headers are percent-decoded: the same customer by any spelling', async () => {
  await world.addCustomer('Zoë 100%')
  const headers = binary('zoe', { 'ce-subject': 'Zo%C3%AB%20100%25' })
  expect(await post(headers, { quantity: 1 })).toMatchObject({ status: 200, accepted: 1 })
  expect(await post({ ...headers, 'ce-subject': 'Zo%C3' }, { quantity: 1 })).toMatchObject({
    status: 422,
    errors: [{ pointer: 'ce-subject', code: 'invalid' }],
  })
})

test('a fault is told by the words of the form', async () => {
  const unknown = { id: 'x', meter: 'nothing', externalId: 'nobody', time: '2030-01-01T00:00:00Z' }
  const pointers = ({ errors = [] }: Answer) => errors.map(({ pointer, code }) => `${pointer} ${code}`)
  expect(pointers(await post(JSON_TYPE, [unknown]))).toEqual([
    '#/0/externalId customer_unknown',
    '#/0/meter meter_unknown',
  ])
  expect(pointers(await post(JSON_TYPE, { ...unknown, externalId: 'ada', meter: 'sum' }))).toEqual([
    '#/time usage_time_in_future',
    '#/quantity required',
  ])
  const headers = binary('x', { 'ce-type': 'nothing', 'ce-subject': 'nobody' })
  expect(pointers(await post(headers, { quantity: 1 }))).toEqual([
    'ce-subject customer_unknown',
    'ce-type meter_unknown',
  ])
  expect(pointers(await post(binary('x'), {}))).toEqual(['#/quantity required'])
})

test('a media type that promises one event, or a batch, is held to it', async () => {
  expect(await post(STRUCTURED, [event()])).toMatchObject({ status: 422, code: 'usage_event_invalid' })
  expect(await post(BATCHED, event())).toMatchObject({ status: 422, code: 'usage_event_invalid' })
  expect(await post(BATCHED, [])).toMatchObject({ status: 422, code: 'usage_event_invalid' })
  expect(await post({ ...binary('x'), 'content-type': 'text/xml' }, {})).toMatchObject({ status: 415 })
})

test('a request is written in one form: no plain events among CloudEvents', async () => {
  const plain = { id: 'mixed', meter: 'sum', externalId: 'ada', quantity: 1, time }
  for (const mixed of [
    [event(), plain],
    [plain, event()],
  ])
    expect(await post(JSON_TYPE, mixed)).toMatchObject({ status: 422, errors: [{ pointer: '#/1' }] })
})

test('a dry run says what would become of the events, and takes none', async () => {
  const before = await world.counts()
  const dryRun = async (body: unknown) => {
    const request = { method: 'POST', url: '/v1/usage-events', query: { dryRun: 'true' } } as const
    return (await call({ ...request, headers: JSON_TYPE, payload: JSON.stringify(body) })).body as Answer
  }
  const known = event({ id: 'known' })
  expect(await dryRun([known, known, { ...known, data: { quantity: '2' } }])).toEqual({
    accepted: 1,
    duplicates: 1,
    conflicts: [{ index: 2, source: 'test', id: 'known' }],
  })
  expect(await dryRun(event({ type: 'nothing' }))).toMatchObject({ code: 'usage_event_invalid' })
  expect(await world.counts()).toEqual(before)
  await usage.take(known)
  expect(await dryRun([known, event(), { ...known, data: { quantity: '2' } }])).toEqual({
    accepted: 1,
    duplicates: 1,
    conflicts: [{ index: 2, source: 'test', id: 'known' }],
  })
})
