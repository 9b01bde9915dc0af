import { type ProblemCode, problems } from '@lockstep/core/problem'
import type { FastifyInstance } from 'fastify'
import { docsPathOf } from './problem-document.ts'

/** For a person who opens the service in a browser: what runs here, and where to read on. */
export function servePlainPages(server: FastifyInstance): void {
  const page = (path: string, html: () => string) =>
    server.get(path, { config: { callers: 'public' }, schema: { hide: true } as object }, (_, reply) =>
      reply.type('text/html; charset=utf-8').send(html()),
    )
  page('/', () =>
    pageOf('Lockstep', [
      '<p>This is a service: programs talk to it under <code>/v1</code>. A person may read</p>',
      listOf([
        ['/docs', 'what can be asked of it, route by route'],
        ['/docs/problems', 'every way it says no, with cause and remedy'],
        ['/openapi.json', 'the same for programs'],
        ['/healthz', 'whether it runs'],
        ['/readyz', 'whether it can work: the database, with the tables of this version'],
        ['/metrics', 'its figures'],
      ]),
    ]),
  )
  page('/docs/problems', () =>
    pageOf('Problems', [
      '<p>Every way the service says no. The code never changes its meaning.</p>',
      listOf(
        codes.map((code) => [docsPathOf(code), `${code}: ${problems[code].status}, ${problems[code].title}`]),
      ),
    ]),
  )
}

const codes = (Object.keys(problems) as ProblemCode[]).toSorted()

const listOf = (links: readonly (readonly [path: string, text: string])[]) =>
  `<ul>\n${links.map(([path, text]) => `<li><a href="${path}">${path}</a> ${escaped(text)}</li>`).join('\n')}\n</ul>`

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const pageOf = (title: string, parts: readonly string[]) =>
  `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${title}</title>\n<h1>${title}</h1>\n${parts.join('\n')}\n</html>\n`
