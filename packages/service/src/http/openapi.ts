import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Problem } from '@lockstep/core/problem'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { mergeEqualSchemas } from './openapi-schemas.ts'
import { documentOf, sendPage, servePlainPages } from './plain-pages.ts'
import { docsPathOf } from './problem-document.ts'
import { problemHtml } from './problem-page.ts'

/** Everything under it is documentation, open to whoever reaches the service. */
export const DOCS = '/docs'

const problemPages = new URL('../../../../docs/problems/', import.meta.url)

/** `/openapi.json`, a page to read it at `/docs`, and a page of each problem code, as HTML or as it is written. No network needed. */
export async function describeApi(server: FastifyInstance): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lockstep',
        version: '0.1.0',
        description: `Keeps an application and its payment provider in step. Errors are problem documents (RFC 9457); each code has its page under [${DOCS}/problems/](${DOCS}/problems/invalid_request). A dry run is asked for by \`dryRun\`: in the body of what looks over everything (imports, sweeps, replays, repairs, expiries), in the query of every other deed. In the other place it is refused, and nothing is done.`,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'lk_…', description: 'Of the back end.' },
          userToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Of a user.' },
        },
      },
    },
    // Both: without the second one every $ref would point at nothing.
    transform: jsonSchemaTransform as never,
    transformObject: (document) => mergeEqualSchemas(jsonSchemaTransformObject(document) as object) as never,
  })
  await server.register(swaggerUi, {
    routePrefix: DOCS,
    // Its validator is a web site. Our own document is the only one: no bar to look for others.
    uiConfig: { validatorUrl: 'none', layout: 'BaseLayout', url: '/openapi.json' },
    theme: { title: 'Lockstep API' },
    staticCSP:
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
  })
  server.get('/openapi.json', { config: { callers: 'public' }, schema: { hide: true } as object }, () =>
    server.swagger(),
  )
  servePlainPages(server)
  server.get<{ Params: { code: string } }>(
    docsPathOf(':code'),
    { schema: { hide: true } as object },
    async ({ params, headers }, reply) => {
      if (!/^[a-z_]+$/.test(params.code))
        throw new Problem('route_not_found', 'There is no such problem code.')
      const page = await readFile(new URL(`${params.code}.md`, problemPages), 'utf8').catch(() => undefined)
      if (page === undefined) throw new Problem('route_not_found', `There is no problem code ${params.code}.`)
      reply.header('vary', 'accept')
      // A browser names HTML; whoever names nothing in particular gets the page as it is written.
      if (!/\btext\/html\b(?!\s*;\s*q=0(?:\.0*)?\b(?!\.))/.test(headers.accept ?? ''))
        return reply.type('text/markdown; charset=utf-8').send(page)
      return sendPage(reply, documentOf(params.code, problemHtml(page)))
    },
  )
}
