import type { LoggedRequest } from '../faults/request-log.ts'
import { jsonMarkup } from './json.ts'
import { html, type Markup } from './markup.ts'
import { older, PAGE_SIZE, table, time, WINDOW, windowPage } from './page.ts'
import type { WindowParts } from './window.ts'

const URL = `${WINDOW}/requests`

/** What was asked, newest first. */
export function requestsPage({ log }: WindowParts, after: string | undefined): string {
  const rows = log.older(after, PAGE_SIZE)
  const lines = rows.map(
    (request) =>
      html`<tr><td><a href="${URL}/${request.id}">${request.id}</a></td><td>${request.method} ${request.path}</td><td>${statusOf(request)}</td><td>${request.fault}</td><td class="time">${time(request.at)}</td></tr>`,
  )
  return windowPage(
    `Requests (${log.total})`,
    html`${table(['Request', 'What', 'Status', 'Fault', 'At'], lines)}${older(URL, rows)}`,
  )
}

/** A request with what was sent and, while it is remembered, what was answered. */
export function requestPage({ world, log }: WindowParts, id: string): string | undefined {
  const request = log.get(id)
  if (request === undefined) return undefined
  const sent = [...new URLSearchParams(request.params)].map(
    ([name, value]) => html`<tr><td>${name}</td><td>${value}</td></tr>`,
  )
  const answer = log.answerTo(id)
  return windowPage(
    `${request.method} ${request.path}`,
    html`<p>${statusOf(request)}${request.replayed ? ', replayed for its idempotency key' : ''}. ${time(request.at)}. Idempotency key: ${request.idempotency_key ?? 'none'}.</p>
<h2>Sent</h2>${table(['Parameter', 'Value'], sent)}
<h2>Answered</h2>${answer === undefined ? html`<p class="quiet">Only the last answers are remembered.</p>` : html`<pre>${answerMarkup(world, answer)}</pre>`}`,
  )
}

function answerMarkup(world: WindowParts['world'], answer: string): Markup {
  try {
    return jsonMarkup(world, JSON.parse(answer))
  } catch {
    // A long answer was cut.
    return html`${answer}`
  }
}

function statusOf({ status }: LoggedRequest): Markup {
  return html`<span class="${status !== null && status < 400 ? 'good' : 'bad'}">${status ?? 'none'}</span>`
}
