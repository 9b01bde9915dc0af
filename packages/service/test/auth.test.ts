import { readFile } from 'node:fs/promises'
import { defineRoute } from '@lockstep/api/define-route'
import { type Scope, scopeIds } from '@lockstep/api/scopes'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { newDatabase } from '../../../test/support/database.ts'
import { route } from '../src/http/route.ts'
import { ADMIN_KEY, newServer } from './support/server.ts'

const database = await newDatabase()
const { app, call, server } = await newServer(database)
afterAll(async () => {
  await server.close()
  await database.drop()
})

const pathOf = (scope: string) => `/v1/for/${scope.replaceAll(':', '-')}`
for (const scope of [...scopeIds, 'public'] as const) {
  const forScope = defineRoute({
    id: `for ${scope}`,
    method: 'GET',
    path: pathOf(scope),
    callers: scope === 'public' ? scope : { key: scope },
    summary: 'For this test',
    tags: [],
    answers: { 200: z.strictObject({ caller: z.string() }) },
  })
  route(app, forScope)(async ({ caller }) => ({ status: 200, body: { caller: caller.id } }))
}

interface ApiKey {
  id: string
  key: string
}

async function newKey(scopes: Scope[], by = ADMIN_KEY): Promise<ApiKey> {
  const made = await call({ method: 'POST', url: '/v1/api-keys', payload: { name: 'test', scopes }, key: by })
  expect(made.status).toBe(201)
  return made.body as ApiKey
}

test('a key does what its scopes say and nothing else', async () => {
  for (const scope of scopeIds) {
    const { id, key } = await newKey([scope])
    for (const wanted of scopeIds) {
      const answer = await call({ method: 'GET', url: pathOf(wanted), key })
      if (wanted === scope) expect(answer).toMatchObject({ status: 200, body: { caller: id } })
      else expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    }
  }
})

test('scopes are told in words, each once', async () => {
  const { body } = await call({ method: 'GET', url: '/v1/scopes' })
  const { data } = body as { data: { id: string; name: string; description: string }[] }
  expect(data.map(({ id }) => id)).toEqual(scopeIds)
  for (const words of data) expect(Math.min(words.name.length, words.description.length)).toBeGreaterThan(5)
  expect(new Set(data.map(({ name }) => name)).size).toBe(scopeIds.length)
  // The page says the same ones.
  const page = await readFile(new URL('../../../docs/authorization.md', import.meta.url), 'utf8')
  for (const id of scopeIds) expect(page).toContain(`\`${id}\``)
})

test('the key of the environment does everything', async () => {
  for (const scope of scopeIds) expect((await call({ method: 'GET', url: pathOf(scope) })).status).toBe(200)
})

test('without a valid key nothing is answered but what is public', async () => {
  const { key } = await newKey(['usage:read'])
  const headers = [
    undefined,
    '',
    'Bearer',
    key,
    `Basic ${key}`,
    `Bearer ${key}x`,
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${ADMIN_KEY.slice(1)}`,
    'Bearer lk_',
  ]
  for (const authorization of headers) {
    const request = {
      method: 'GET',
      key: '',
      headers: authorization === undefined ? {} : { authorization },
    } as const
    const answer = await call({ ...request, url: pathOf('usage:read') })
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } })
    expect(answer.headers['www-authenticate']).toContain('Bearer')
    expect((await call({ ...request, url: pathOf('public') })).status).toBe(200)
  }
})

test('a revoked key is refused at once, and revoking twice changes nothing', async () => {
  const { id, key } = await newKey(['usage:read'])
  expect((await call({ method: 'GET', url: pathOf('usage:read'), key })).status).toBe(200)
  const revoked = await call({ method: 'DELETE', url: `/v1/api-keys/${id}` })
  expect(revoked).toMatchObject({ status: 200, body: { id, revokedAt: expect.any(String) } })
  expect((await call({ method: 'GET', url: pathOf('usage:read'), key })).status).toBe(401)
  expect((await call({ method: 'DELETE', url: `/v1/api-keys/${id}` })).body).toEqual(revoked.body)
  expect(await call({ method: 'DELETE', url: '/v1/api-keys/api_key_none' })).toMatchObject({
    status: 404,
    body: { code: 'api_key_not_found' },
  })
})

test('a key gives no more than it has', async () => {
  const { key } = await newKey(['operations:write', 'usage:write'])
  await newKey(['usage:write'], key)
  const more = await call({
    method: 'POST',
    url: '/v1/api-keys',
    payload: { name: 'more', scopes: ['usage:write', 'invoices:read'] },
    key,
  })
  expect(more).toMatchObject({ status: 403, body: { code: 'forbidden' } })
})

test('a key revokes none that may do what it may not do itself', async () => {
  const { id: stronger } = await newKey(['operations:write', 'invoices:read'])
  const { id: weaker, key } = await newKey(['operations:write', 'usage:write'])
  const { id: part } = await newKey(['usage:write'])
  const revoke = (id: string) => call({ method: 'DELETE', url: `/v1/api-keys/${id}`, key })
  expect(await revoke(stronger)).toMatchObject({
    status: 403,
    body: {
      code: 'forbidden',
      detail: 'A key cannot revoke one that may do what it may not do itself: invoices:read.',
    },
  })
  const { body } = await call({ method: 'GET', url: '/v1/api-keys?limit=100' })
  const { data } = body as { data: { id: string; revokedAt: string | null }[] }
  expect(data.find(({ id }) => id === stronger)).toMatchObject({ revokedAt: null })
  expect((await revoke(part)).status).toBe(200)
  // Itself, too.
  expect((await revoke(weaker)).status).toBe(200)
})

test('a key is shown once: lists and the database know its prefix and its hash', async () => {
  const { id, key } = await newKey(['usage:read'])
  expect(key).toMatch(/^lk_[0-9a-hjkmnp-tv-z]{52}$/)
  const list = await call({ method: 'GET', url: '/v1/api-keys?limit=100' })
  expect(list.text).not.toContain(key)
  expect(list.body).toMatchObject({
    data: expect.arrayContaining([expect.objectContaining({ id, prefix: key.slice(0, 9) })]),
  })
  const { rows } = await database.pool.query('select row_to_json(api_key)::text as text from api_key')
  expect(JSON.stringify(rows)).not.toContain(key)
})

test('a list goes on where its cursor says, newest first', async () => {
  const made = [await newKey(['usage:read']), await newKey(['usage:read']), await newKey(['usage:read'])]
  const seen: string[] = []
  let after: string | null = ''
  for (let pages = 0; after !== null && pages < 100; pages += 1) {
    const url: string = `/v1/api-keys?limit=2${after === '' ? '' : `&after=${after}`}`
    const page = (await call({ method: 'GET', url })).body as { data: ApiKey[]; nextCursor: string | null }
    seen.push(...page.data.map(({ id }) => id))
    after = page.nextCursor
  }
  expect(seen.slice(0, 3)).toEqual(made.map(({ id }) => id).reverse())
  expect(new Set(seen).size).toBe(seen.length)
  const { rows } = await database.pool.query('select count(*) from api_key')
  expect(BigInt(seen.length)).toBe(rows[0].count)
})

test('a route that does not say who may call it stops the start', async () => {
  const fresh = await newServer(database)
  expect(() => fresh.server.get('/v1/undeclared', async () => 'secrets')).toThrow(
    'does not say who may call it',
  )
})
