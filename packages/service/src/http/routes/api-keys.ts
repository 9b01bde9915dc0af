import * as api from '@lockstep/api/api-keys'
import { type Scope, scopes } from '@lockstep/api/scopes'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import { newSecret } from '../../ids.ts'
import type { Db } from '../../postgres/connect.ts'
import { addApiKey, listApiKeys, readApiKey, revokeApiKey } from '../../store/api-keys.ts'
import type { Row } from '../../store/schema.ts'
import { sqlTime } from '../../store/time.ts'
import { hashOf } from '../api-key.ts'
import { requireScopes } from '../caller.ts'
import { type App, route } from '../route.ts'

const KEY_BITS = 256
/** `lk_` and six more: enough to tell keys apart, of no use to guess one. */
const PREFIX_CHARS = 9

/** Keys of the application's back end: listed, made, revoked. */
export function apiKeyRoutes(
  app: App,
  { db, clock, forgetKeys }: { db: Db; clock: Clock; forgetKeys: () => void },
): void {
  route(
    app,
    api.listScopes,
  )(async () => ({ status: 200, body: { data: scopes.map((scope) => ({ ...scope })) } }))

  route(
    app,
    api.listApiKeys,
  )(async ({ query }) => {
    const page = await listApiKeys(db, query)
    return { status: 200, body: { ...page, data: page.data.map(toApi) } }
  })

  route(
    app,
    api.createApiKey,
  )(async ({ body, caller, operation }) => {
    requireScopes(caller, body.scopes, 'A key cannot give what it may not do itself')
    const key = `lk_${newSecret(KEY_BITS)}`
    const row = await addApiKey(db, {
      // Named after the operation: a repetition after a crash makes no second key. It gives this one
      // another secret, since nobody has seen the first.
      id: operation.replace(/^operation/, 'api_key'),
      name: body.name,
      prefix: key.slice(0, PREFIX_CHARS),
      keyHash: hashOf(key),
      scopes: [...new Set(body.scopes)],
      createdAt: sqlTime(clock.now()),
    })
    return { status: 201, body: { ...toApi(row), key } }
  })

  route(
    app,
    api.revokeApiKey,
  )(async ({ params: { id }, caller }) => {
    const key = (await readApiKey(db, id)) ?? unknown(id)
    requireScopes(caller, key.scopes, 'A key cannot revoke one that may do what it may not do itself')
    const row = (await revokeApiKey(db, id, sqlTime(clock.now()))) ?? unknown(id)
    forgetKeys()
    return { status: 200, body: toApi(row) }
  })
}

function unknown(id: string): never {
  throw new Problem('api_key_not_found', `There is no API key ${id}.`)
}

function toApi({ id, name, prefix, scopes, createdAt, revokedAt }: Row<'apiKey'>) {
  return {
    id,
    name,
    prefix,
    scopes: scopes as Scope[],
    createdAt: formatInstant(createdAt),
    revokedAt: revokedAt === null ? null : formatInstant(revokedAt),
  }
}
