import type { FastifyInstance, InjectOptions } from 'fastify'
import { type Clock, wallClock } from '../../src/clock.ts'
import { apiKeys } from '../../src/http/api-key.ts'
import { createServer } from '../../src/http/app.ts'
import { authenticator } from '../../src/http/authenticate.ts'
import type { App } from '../../src/http/route.ts'
import { apiKeyRoutes } from '../../src/http/routes/api-keys.ts'
import type { UserTokens } from '../../src/http/user-token.ts'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { Db } from '../../src/postgres/connect.ts'

export const ADMIN_KEY = 'lk_admin_key_of_the_tests_0123456789abcdef'

export interface TestServer {
  readonly app: App
  readonly server: FastifyInstance
  /** What was logged, one object a line. */
  readonly logged: string[]
  call(
    request: InjectOptions & { key?: string },
  ): Promise<{ status: number; headers: Headers_; body: never; text: string }>
}

type Headers_ = Record<string, unknown>

export interface ServerWanted {
  readonly clock?: Clock
  readonly loopbackOnly?: boolean
  readonly tokens?: UserTokens
}

/** A server without a port: everything between the socket and the handlers, on a real database. */
export async function newServer(
  { db }: { db: Db },
  { clock = wallClock, loopbackOnly = false, tokens }: ServerWanted = {},
): Promise<TestServer> {
  const logged: string[] = []
  const log = createLog({ logLevel: 'debug' }, { write: (line: string) => void logged.push(line) })
  const server = await createServer({ log, metrics: createMetrics(), loopbackOnly })
  const keys = apiKeys({ db, adminKey: ADMIN_KEY })
  const authenticate = authenticator({
    db,
    keys,
    tokens,
    secrets: ['a secret of the tests, 32 characters or more'],
  })
  const app = { server, db, clock, authenticate }
  apiKeyRoutes(app, { db, clock, forgetKeys: keys.forget })
  return {
    app,
    server,
    logged,
    call: async ({ key = ADMIN_KEY, headers, ...request }) => {
      const authorization = key === '' ? {} : { authorization: `Bearer ${key}` }
      const response = await server.inject({ ...request, headers: { ...authorization, ...headers } })
      const isJson = /json/.test(String(response.headers['content-type']))
      return {
        status: response.statusCode,
        headers: response.headers,
        body: (isJson ? response.json() : undefined) as never,
        text: response.body,
      }
    },
  }
}
