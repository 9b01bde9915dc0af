import { routes } from '@lockstep/api/routes'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { newDatabase } from '../../../test/support/database.ts'
import { readConfig } from '../src/config.ts'
import { createLog } from '../src/log.ts'
import { startService } from '../src/service.ts'
import { ADMIN_KEY } from './support/server.ts'

const database = await newDatabase()
const config = readConfig({
  DATABASE_URL: database.url,
  STRIPE_API_BASE: 'http://127.0.0.1:9',
  LOCKSTEP_ADMIN_KEY: ADMIN_KEY,
  LOCKSTEP_HOST: '127.0.0.1',
  LOCKSTEP_ROLES: 'api',
  PORT: '0',
})
const service = await startService(config, { log: createLog({ logLevel: 'silent' }) })
afterAll(async () => {
  await service.close()
  await database.drop()
})

type Json = { [key: string]: Json } & Json[]
const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Json
const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

test('every route of the contract is served, and no other', () => {
  const served = operations.map(({ operation }) => String(operation.operationId))
  expect(served.toSorted()).toEqual(routes.map(({ id }) => id).toSorted())
})

test('every reference of the document leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, reference = '']) => reference,
  )
  expect(references.length).toBeGreaterThan(10)
  for (const reference of new Set(references)) {
    const target = reference
      .replace(/^#\//, '')
      .split('/')
      .reduce<Json | undefined>((inner, name) => inner?.[name as keyof Json] as Json | undefined, document)
    expect(target, reference).toBeDefined()
  }
})

test('a schema has a second form for what is sent only where that differs', () => {
  const schemas = document.components?.schemas as Record<string, unknown>
  const text = JSON.stringify(document)
  for (const name of Object.keys(schemas).filter((one) => one.endsWith('Input'))) {
    expect(text).toContain(`"#/components/schemas/${name}"`)
    expect(schemas[name], name).not.toEqual(schemas[name.replace(/Input$/, '')])
  }
})

test('every path parameter is described, and so is every refusal', () => {
  for (const { path, operation } of operations) {
    const described = ((operation.parameters ?? []) as unknown as { in: string; name: string }[])
      .filter((parameter) => parameter.in === 'path')
      .map(({ name }) => name)
    expect(described.toSorted()).toEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name)).toSorted(),
    )
    expect(JSON.stringify(operation.responses?.default)).toContain('application/problem+json')
  }
})

test('nobody without a key gets past a route that is not public', async () => {
  for (const { method, path, callers } of routes) {
    const answer = await fetch(`${service.url}${path.replaceAll(/:(\w+)/g, 'x')}`, { method })
    const expected = callers === 'public' ? 'served' : 401
    expect(
      `${method} ${path} ${callers === 'public' && answer.status !== 401 ? 'served' : answer.status}`,
    ).toBe(`${method} ${path} ${expected}`)
  }
})

test('what a route does not take is refused and not passed over: a dry run asked for in the wrong place does nothing', async () => {
  for (const { method, path, rawBody, body, query, callers } of routes) {
    if (method === 'GET' || callers === 'public' || rawBody) continue
    const takes = (schema: unknown) => JSON.stringify(schema ?? null).includes('dryRun')
    const inBody = takes(body && z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }))
    const inQuery = takes(query && z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }))
    expect(inBody && inQuery, path).toBe(false)
    const asked = async (search: string, payload?: object) => {
      const answer = await fetch(`${service.url}${path.replaceAll(/:(\w+)/g, 'x')}${search}`, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN_KEY}`,
          ...(payload && { 'content-type': 'application/json' }),
        },
        ...(payload && { body: JSON.stringify(payload) }),
      })
      const { errors = [] } = (await answer.json()) as { errors?: { pointer: string; code: string }[] }
      const refused = errors.filter(({ code }) => code === 'unknown_field').map(({ pointer }) => pointer)
      return `${method} ${path} ${answer.status} ${refused.join(' ')}`
    }
    if (!body) expect(await asked('', { dryRun: true })).toBe(`${method} ${path} 400 #/dryRun`)
    if (!inQuery) expect(await asked('?dryRun=true')).toBe(`${method} ${path} 400 ?dryRun`)
  }
})
