import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StripeError } from '../errors.ts'
import type { AttemptLog } from '../events/attempt-log.ts'
import type { Control } from '../faults/control.ts'
import type { RequestLog } from '../faults/request-log.ts'
import type { World } from '../world.ts'
import { clocksPage, turnClock } from './clocks.ts'
import { eventsPage } from './events.ts'
import { type Kind, kindsOf } from './kinds.ts'
import { html } from './markup.ts'
import { kindsPage, objectPage, objectsPage } from './objects.ts'
import { ROOT, WINDOW, windowPage } from './page.ts'
import { requestPage, requestsPage } from './requests.ts'
import { waitingPage } from './waiting.ts'

export interface WindowParts {
  readonly world: World
  readonly control: Control
  readonly log: RequestLog
  readonly attempts: AttemptLog
}

/**
 * A window into the simulator for people: every object, event, delivery and request, and buttons for what a
 * clock and a bank do. Pages without scripts; lists are read from their newest end, however long they are.
 */
export function addWindow(app: FastifyInstance, parts: WindowParts): void {
  const { world, control } = parts
  app.get('/', (_request, reply) => reply.redirect(ROOT))
  app.get(ROOT, (_request, reply) => show(reply, kindsPage(world)))
  app.get(`${WINDOW}/objects/:kind`, (request, reply) => {
    const { kind = '' } = segments(request)
    const known = (kindsOf(world) as string[]).includes(kind)
    return show(reply, known ? objectsPage(world, kind as Kind, query(request).after) : undefined)
  })
  app.get(`${WINDOW}/object/:id`, (request, reply) =>
    show(reply, objectPage(parts, segments(request).id ?? '')),
  )
  app.get(`${WINDOW}/events`, (request, reply) => {
    const { type, after } = query(request)
    return show(reply, eventsPage(world, type, after))
  })
  app.get(`${WINDOW}/requests`, (request, reply) => show(reply, requestsPage(parts, query(request).after)))
  app.get(`${WINDOW}/requests/:id`, (request, reply) =>
    show(reply, requestPage(parts, segments(request).id ?? '')),
  )
  app.get(`${WINDOW}/clocks`, (request, reply) => show(reply, clocksPage(world, query(request).after)))
  app.get(`${WINDOW}/waiting`, (_request, reply) => show(reply, waitingPage(world)))

  deed(app, `${WINDOW}/events/:id/redeliver`, (id) => {
    control.redeliver(id)
    return { next: `${WINDOW}/object/${id}` }
  })
  deed(app, `${WINDOW}/clocks/:id/advance`, (id, { by }) => {
    const error = turnClock(world, id, by)
    return {
      next: `${WINDOW}/clocks`,
      page: error === undefined ? undefined : clocksPage(world, undefined, error),
    }
  })
  deed(app, `${WINDOW}/intents/:id/authenticate`, (id, { outcome }) => {
    control.authenticate(id, outcome === 'fail' ? 'fail' : 'succeed')
    return { next: `${WINDOW}/waiting` }
  })
}

/** A button: does something and leads on to a page, or shows what is wrong. Another site's form is refused. */
function deed(
  app: FastifyInstance,
  url: string,
  act: (id: string, form: Record<string, string | undefined>) => { next: string; page?: string | undefined },
): void {
  app.post(url, (request, reply) => {
    const from = request.headers['sec-fetch-site']
    if (from !== undefined && from !== 'same-origin') {
      return show(
        reply,
        windowPage('Refused', html`<p>This button works on the simulator’s own pages only.</p>`),
        403,
      )
    }
    const { form = '' } = (request.body ?? {}) as { form?: string }
    try {
      const done = act(segments(request).id ?? '', Object.fromEntries(new URLSearchParams(form)))
      return done.page === undefined ? reply.redirect(done.next, 303) : show(reply, done.page, 400)
    } catch (error) {
      if (!(error instanceof StripeError)) throw error
      return show(reply, windowPage('That did not work', html``, error.message), error.status)
    }
  })
}

function show(reply: FastifyReply, page: string | undefined, status = 200) {
  reply.header(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
  )
  reply.type('text/html; charset=utf-8')
  if (page === undefined) return reply.code(404).send(windowPage('There is no such thing', html``))
  return reply.code(status).send(page)
}

function segments(request: FastifyRequest): Record<string, string | undefined> {
  return request.params as Record<string, string>
}

function query(request: FastifyRequest): Record<string, string | undefined> {
  return request.query as Record<string, string>
}
