import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam } from './ids.ts'
import { instant } from './instant.ts'
import { listOf, page } from './pagination.ts'
import { type Scope, scopeIds, scopes } from './scopes.ts'
import { freeText } from './text.ts'

const scope = z.enum(scopeIds as [Scope, ...Scope[]]).meta({
  id: 'Scope',
  description: `What a key may be allowed to do. ${scopes.map(({ id: name, description }) => `\`${name}\`: ${description}`).join(' ')}`,
})

const fields = {
  id: id('api_key'),
  name: z.string(),
  prefix: z.string().meta({ description: 'The first characters of the key, to tell one from another.' }),
  scopes: z.array(scope),
  createdAt: instant,
  revokedAt: instant.nullable(),
}

export const apiKey = z
  .strictObject(fields)
  .meta({ id: 'ApiKey', description: 'A key of the application’s back end.' })

const tags = ['Operations']

export const listScopes = defineRoute({
  id: 'listScopes',
  method: 'GET',
  path: '/v1/scopes',
  callers: { key: 'operations:read' },
  summary: 'What a key may be allowed to do',
  tags,
  answers: {
    200: z
      .strictObject({
        data: z.array(
          z
            .strictObject({ id: scope, name: z.string(), description: z.string() })
            .meta({ id: 'ScopeWords', description: 'A scope, in words for whoever makes a key.' }),
        ),
      })
      .meta({ id: 'ScopeList' }),
  },
})

export const listApiKeys = defineRoute({
  id: 'listApiKeys',
  method: 'GET',
  path: '/v1/api-keys',
  callers: { key: 'operations:read' },
  summary: 'List API keys, newest first',
  tags,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('ApiKey', apiKey) },
})

export const createApiKey = defineRoute({
  id: 'createApiKey',
  method: 'POST',
  path: '/v1/api-keys',
  callers: { key: 'operations:write' },
  summary: 'Make an API key',
  description: 'A key can only give what it may do itself.',
  tags,
  body: z
    .strictObject({
      name: freeText(100).min(1).meta({ description: 'For people: where it is used.' }),
      scopes: z.array(scope).min(1).meta({ description: 'What it may do.' }),
    })
    .meta({ id: 'NewApiKey' }),
  answers: {
    201: z
      .strictObject({
        ...fields,
        key: z.string().meta({ description: 'The key itself. Shown this once and not kept.' }),
      })
      .meta({ id: 'ApiKeyWithSecret' }),
  },
})

export const revokeApiKey = defineRoute({
  id: 'revokeApiKey',
  method: 'DELETE',
  path: '/v1/api-keys/:id',
  callers: { key: 'operations:write' },
  summary: 'Revoke an API key',
  tags,
  params: z.strictObject({ id: idParam('API key') }),
  answers: { 200: apiKey },
  problems: ['forbidden', 'api_key_not_found'],
})
