import { createHash } from 'node:crypto'
import { type ProblemCode, problems } from '@lockstep/core/problem'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { docsPathOf } from './problem-document.ts'

/** For a person who opens the service in a browser: what runs here, and where to read on. */
export function servePlainPages(server: FastifyInstance): void {
  const page = (path: string, html: () => string) =>
    server.get(path, { config: { callers: 'public' }, schema: { hide: true } as object }, (_, reply) =>
      sendPage(reply, html()),
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

/** With the policy that lets its style in. */
export const sendPage = (reply: FastifyReply, html: string): FastifyReply =>
  reply.header('content-security-policy', pagePolicy).type('text/html; charset=utf-8').send(html)

const codes = (Object.keys(problems) as ProblemCode[]).toSorted()

const listOf = (links: readonly (readonly [path: string, text: string])[]) =>
  `<ul>\n${links.map(([path, text]) => `<li><a href="${path}">${path}</a> ${escaped(text)}</li>`).join('\n')}\n</ul>`

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const pageOf = (title: string, parts: readonly string[]) =>
  documentOf(title, [`<h1>${title}</h1>`, ...parts].join('\n'))

const style = `body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color-scheme: light dark }
code, pre { font: 0.9em/1.4 ui-monospace, monospace }
pre { overflow-x: auto; padding: 0.75rem 1rem; border: 1px solid #8886; border-radius: 4px }`

/** Nothing but its own style is loaded or runs: text that got in somehow stays text. */
const pagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`

/** A whole page of HTML, readable on a telephone too. */
export const documentOf = (title: string, body: string): string =>
  `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n<title>${title}</title>\n<style>${style}</style>\n${body}\n</html>\n`
