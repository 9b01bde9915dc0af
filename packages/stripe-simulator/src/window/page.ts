import { NO_ICON } from '../http/html.ts'
import { html, Markup } from './markup.ts'
import { masked } from './secrets.ts'

export const ROOT = '/_simulator'
export const WINDOW = `${ROOT}/window`
/** Rows of a page, of any list. */
export const PAGE_SIZE = 50

const STYLE = html`
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2330; background: #f6f7f9; margin: 0 auto; max-width: 72rem; padding: 0 1.5rem 3rem }
nav { display: flex; flex-wrap: wrap; gap: 1.25rem; align-items: baseline; padding: 1rem 0; border-bottom: 1px solid #d9dce3 }
nav strong { margin-right: auto }
a { color: #3a4fc4; text-decoration: none } a:hover { text-decoration: underline }
h1 { font-size: 1.4rem; margin: 1.25rem 0 .75rem; overflow-wrap: anywhere } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem }
table { border-collapse: collapse; width: 100%; background: #fff; border: 1px solid #d9dce3; border-radius: 6px; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid #eceef2; vertical-align: top; overflow-wrap: break-word }
th { font-weight: 600; color: #5c6375; font-size: .85rem }
td.number, th.number { text-align: right; white-space: nowrap } td.time { white-space: nowrap }
pre { background: #fff; border: 1px solid #d9dce3; border-radius: 6px; padding: .75rem 1rem; overflow-x: auto; font-size: 13px; line-height: 1.45 }
button, input { font: inherit; padding: .2rem .7rem } button { cursor: pointer } form { display: inline }
[role=alert] { background: #fde8e8; border: 1px solid #e0a3a3; border-radius: 6px; padding: .6rem 1rem }
.quiet { color: #5c6375 } .good { color: #1a7f4b } .bad { color: #b3261e }`

const SECTIONS = [
  [ROOT, 'Objects'],
  [`${WINDOW}/events`, 'Events'],
  [`${WINDOW}/requests`, 'Requests'],
  [`${WINDOW}/clocks`, 'Clocks'],
  [`${WINDOW}/waiting`, 'Waiting for 3-D Secure'],
] as const

/** A page of the window: where you can go, what went wrong, and what there is to see but secrets. */
export function windowPage(title: string, body: Markup, error?: string): string {
  const links = SECTIONS.map(([url, name]) => html`<a href="${url}">${name}</a>`)
  const alert = error === undefined ? null : html`<p role="alert">${error}</p>`
  const page = html`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">${new Markup(NO_ICON)}<title>${title} · Stripe simulator</title><style>${STYLE}</style>
<nav><strong>Stripe simulator</strong>${links}</nav><h1>${title}</h1>${alert}${body}</html>`
  return masked(page.text)
}

/** A table; a column named with a leading `#` holds numbers. */
export function table(columns: readonly string[], rows: readonly Markup[]): Markup {
  if (rows.length === 0) return html`<p class="quiet">None.</p>`
  const head = columns.map((name) =>
    name.startsWith('#') ? html`<th class="number">${name.slice(1)}</th>` : html`<th>${name}</th>`,
  )
  return html`<table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table>`
}

/** A way on to what is older than the last row, where the page is full. */
export function older(url: string, rows: readonly { readonly id: string }[]): Markup | null {
  const last = rows.length < PAGE_SIZE ? undefined : rows.at(-1)
  if (last === undefined) return null
  const mark = url.includes('?') ? '&' : '?'
  return html`<p><a href="${`${url}${mark}after=${last.id}`}">Older</a></p>`
}

/** Seconds since 1970 as a person reads them, in UTC. */
export function time(at: number): Markup {
  return html`<span title="${at}">${new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')}</span>`
}

export function take<T>(items: Iterable<T>, count: number): T[] {
  const taken: T[] = []
  for (const item of items) {
    if (taken.length === count) break
    taken.push(item)
  }
  return taken
}
