import type { Scope } from '@lockstep/api/scopes'
import { scopesToTell } from '@lockstep/api/told-scopes'
import { outgoingEventTypes } from '@lockstep/core/outgoing-event'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newOutboxWorld } from './support/outbox-world.ts'
import { newReceiver, type Receiver } from './support/receiver.ts'
import { shared } from './support/shared.ts'

let app: Receiver
const world = await shared(newOutboxWorld())
beforeEach(async () => {
  app = await newReceiver()
})
afterEach(async () => {
  await app.close()
  await world.db.deleteFrom('webhookEndpoint').execute()
})

const ENDPOINTS = '/v1/webhook-endpoints'
const reading: Scope[] = [
  'catalog:read',
  'customers:read',
  'subscriptions:read',
  'usage:read',
  'invoices:read',
  'operations:read',
]

/** A caller who holds a key with these scopes. */
async function holderOf(...scopes: Scope[]) {
  const { body } = await world.ask<{ key: string }>('POST', '/v1/api-keys', { name: 'limited', scopes })
  return (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
    world.ask<{ id: string; detail: string }>(method, url, payload, body.key)
}

test('whoever operates has nothing told that it may not read', async () => {
  const operator = await holderOf('operations:write')
  expect(await operator('POST', ENDPOINTS, { url: app.url, types: ['customer.created'] })).toMatchObject({
    status: 403,
    body: {
      code: 'forbidden',
      detail: 'Having these events sent somewhere takes a key that may also read them: customers:read.',
    },
  })
  expect(await operator('POST', ENDPOINTS, { url: app.url })).toMatchObject({ status: 403 })
  await world.ask('POST', '/v1/customers', { externalId: 'told_to_none', email: 'ada@example.org' })
  await world.tell()
  expect(app.received).toEqual([])

  const reader = await holderOf('operations:write', 'customers:read')
  expect(await reader('POST', ENDPOINTS, { url: app.url, types: ['customer.created'] })).toMatchObject({
    status: 201,
  })
  const more = { url: app.url, types: ['customer.created', 'invoice.paid', 'plan_change.refused'] }
  expect((await reader('POST', ENDPOINTS, more)).body.detail).toMatch(
    /: invoices:read, subscriptions:read\.$/,
  )
  expect(await reader('POST', ENDPOINTS, { url: app.url, types: null })).toMatchObject({ status: 403 })

  const everything = await holderOf('operations:write', ...reading)
  expect(await everything('POST', ENDPOINTS, { url: app.url, types: null })).toMatchObject({ status: 201 })
})

test('nor has it an endpoint of another turned to itself, but can have it stop', async () => {
  const { id } = await world.endpoint(app, { types: ['customer.created'] })
  const operator = await holderOf('operations:write')
  const path = `${ENDPOINTS}/${id}`
  for (const [method, url, payload] of [
    ['PATCH', path, { url: app.url }],
    ['PATCH', path, { types: null }],
    ['PATCH', path, { enabled: true }],
    ['POST', `${path}/rotate-secret`, {}],
    ['POST', `${path}/replay`, { dryRun: false }],
  ] as const) {
    expect({ payload, ...(await operator(method, url, payload)) }).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringMatching(/customers:read/) },
    })
  }
  // What it may read it may have sent: of that nothing is left of what was there.
  const reader = await holderOf('operations:write', 'invoices:read')
  expect(await reader('PATCH', path, { types: ['invoice.paid'] })).toMatchObject({ status: 200 })
  expect(await operator('PATCH', path, { enabled: false, description: 'turned off' })).toMatchObject({
    status: 200,
    body: { state: 'disabled', types: ['invoice.paid'] },
  })
  expect(await operator('DELETE', path)).toMatchObject({ status: 200 })
  expect(await operator('PATCH', path, { enabled: false })).toMatchObject({ status: 404 })
})

test('the log shows what was sent to whoever may read such objects', async () => {
  await world.endpoint(app, { types: ['customer.created'] })
  await world.ask('POST', '/v1/customers', { externalId: 'in_the_log', email: 'grace@example.org' })
  await world.tell()
  const { body } = await world.ask<{ data: { id: string }[] }>('GET', '/v1/deliveries')
  const path = `/v1/deliveries/${body.data[0]?.id}`
  const operator = await holderOf('operations:read')
  expect((await operator('GET', path)).body).toMatchObject({ type: 'customer.created', data: null })
  const reader = await holderOf('operations:read', 'customers:read')
  expect((await reader('GET', path)).body).toMatchObject({ data: { email: 'grace@example.org' } })
})

test('every event needs a scope that reads', () => {
  for (const type of outgoingEventTypes) expect(reading).toContain(scopesToTell([type])[0])
})
