import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { nounInPath } from './callers.ts'
import { defineRoute } from './define-route.ts'
import { routes } from './routes.ts'
import { scopeIds } from './scopes.ts'

const named = routes.map((route) => [`${route.method} ${route.path}`, route] as const)

test('no two routes share an id or an address', () => {
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
  expect(new Set(named.map(([name]) => name)).size).toBe(routes.length)
})

test('a route that does not say who may call it does not compile', () => {
  const silent = { id: 'x', method: 'GET', path: '/v1/x', summary: 'x', tags: [], answers: {} } as const
  // @ts-expect-error: there is no default.
  defineRoute(silent)
  defineRoute({ ...silent, callers: 'public' })
})

const lists = named.flatMap(([name, { query }]) => {
  const after = query?.shape.after
  return after === undefined ? [] : [[name, after as z.ZodType] as const]
})

test('every list that goes on knows a cursor from garbage', () => {
  expect(lists.length).toBeGreaterThan(25)
  for (const [name, after] of lists)
    for (const garbage of ['', 'no cursor', 'X'.repeat(501), '../..', '💥', "'; --"])
      expect([name, garbage, after.safeParse(garbage).success]).toEqual([name, garbage, false])
})

describe.each(named)('%s', (_name, route) => {
  test('says who may call it', () => {
    if (route.callers === 'public') {
      expect(route.path).not.toMatch(/^\/v1\//)
      return
    }
    const { key, user } = route.callers
    expect(scopeIds).toContain(key)
    // Reading changes nothing, and what changes something is no reading.
    expect(key.endsWith(':read')).toBe(route.method === 'GET')
    if (user === undefined || user === 'public catalogue') return
    // Prices are everybody's; how the service runs is nobody's but the operator's.
    expect(key).not.toMatch(/^operations:|:admin$/)
    if (nounInPath(user)) expect(Object.keys(route.params?.shape ?? {})[0]).toBe('id')
    else if (user === 'own customer in query') expect(route.query?.shape).toHaveProperty('customer')
    else expect((route.body as z.ZodObject).shape).toHaveProperty('customer')
  })

  test('names the parameters of its path', () => {
    const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name)
    expect(Object.keys(route.params?.shape ?? {})).toEqual(inPath)
  })

  test('can be described in OpenAPI', () => {
    for (const schema of [route.params, route.query, route.body]) {
      if (schema) z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' })
    }
    for (const answer of Object.values(route.answers)) z.toJSONSchema(answer, { io: 'output' })
  })

  test('refuses what it does not know', () => {
    for (const schema of [route.params, route.query]) {
      if (!schema) continue
      const result = schema.safeParse({ surprise: 1 })
      const codes = result.error?.issues.map((issue) => issue.code)
      expect(codes).toContain('unrecognized_keys')
    }
  })

  test('describes what it takes', () => {
    for (const schema of [route.params, route.query, route.body]) {
      if (!schema) continue
      const { description, properties, $ref, $defs } = z.toJSONSchema(schema, { io: 'input' })
      const fields = properties ?? $defs?.[$ref?.split('/').at(-1) ?? '']?.properties ?? {}
      const silent = Object.entries(fields).filter(
        ([, field]) => typeof field === 'object' && !field.description && !field.$ref,
      )
      expect(silent.map(([name]) => name)).toEqual([])
      if (schema === route.body && Object.keys(fields).length === 0) expect(description).toBeTruthy()
    }
  })
})
