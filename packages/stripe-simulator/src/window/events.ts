import type { World } from '../world.ts'
import { objectLink } from './json.ts'
import { html, type Markup } from './markup.ts'
import { older, PAGE_SIZE, table, take, time, WINDOW, windowPage } from './page.ts'
import type { WindowParts } from './window.ts'

/** What happened, newest first, of one type or of all. */
export function eventsPage(world: World, type: string | undefined, after: string | undefined): string {
  const where = type === undefined ? null : ({ index: 'type', key: type } as const)
  const rows = take(world.events.older(where, after), PAGE_SIZE)
  const url = `${WINDOW}/events`
  const lines = rows.map(({ id, type: of, created, data, own }) => {
    const about = typeof data.object.id === 'string' ? objectLink(data.object.id) : null
    return html`<tr><td>${objectLink(id)}</td><td><a href="${`${url}?type=${encodeURIComponent(of)}`}">${of}</a></td><td>${about}</td><td>${stateOf(own)}</td><td class="time">${time(created)}</td></tr>`
  })
  const more = older(type === undefined ? url : `${url}?type=${encodeURIComponent(type)}`, rows)
  const title = type === undefined ? 'Events' : `Events: ${type}`
  return windowPage(title, html`${table(['Event', 'Type', 'About', 'Webhooks', 'Created'], lines)}${more}`)
}

function stateOf({ pending, failed }: { pending: number; failed: boolean }): Markup | null {
  if (pending > 0) return html`<span class="quiet">${pending} pending</span>`
  return failed ? html`<span class="bad">failed</span>` : null
}

/** Where an event was sent and what was answered, with a button to send it again. */
export function attemptsOf({ world, attempts }: WindowParts, id: string): Markup {
  const lines = attempts.of(id).map(({ endpoint, at, ms, status, answer }) => {
    const ok = status !== null && status >= 200 && status < 300
    const url = world.webhookEndpoints.get(endpoint)?.url ?? 'deleted'
    return html`<tr><td>${objectLink(endpoint)}<br>${url}</td><td class="${ok ? 'good' : 'bad'}">${status ?? 'no answer'}</td><td>${answer}</td><td class="number">${ms}</td><td class="time">${time(at)}</td></tr>`
  })
  const waiting = world.deliveries.by('event', id).map(({ endpoint, attempts: made, notBefore }) => {
    const due =
      made === 0
        ? html`waits for its first attempt`
        : html`is tried again at ${time(Math.floor(notBefore / 1000))}`
    return html`<p class="quiet">${objectLink(endpoint)} ${due}.</p>`
  })
  return html`<h2>Deliveries</h2>${table(['Endpoint', 'Status', 'Answer', '#ms', 'At'], lines)}${waiting}
<form method="post" action="${WINDOW}/events/${id}/redeliver"><button>Send again</button></form>`
}
