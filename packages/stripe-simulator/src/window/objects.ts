import type { Json } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import type { World } from '../world.ts'
import { attemptsOf } from './events.ts'
import { jsonMarkup, objectLink } from './json.ts'
import { belongings, findKind, type Kind, kindsOf, type Row, tableOf, titleOf } from './kinds.ts'
import { html, type Markup } from './markup.ts'
import { older, PAGE_SIZE, table, take, time, WINDOW, windowPage } from './page.ts'
import type { WindowParts } from './window.ts'

/** Events about one object that its page shows. */
const EVENTS_SHOWN = 20
/** How far back its events are looked for, so that a page is quick however long the history. */
const EVENTS_SEARCHED = 100_000

/** Every kind of object that there is, with how many. */
export function kindsPage(world: World): string {
  const rows = kindsOf(world)
    .map((kind) => [kind, tableOf(world, kind).size] as const)
    .filter(([, count]) => count > 0)
    .map(
      ([kind, count]) =>
        html`<tr><td><a href="${WINDOW}/objects/${kind}">${titleOf(kind)}</a></td><td class="number">${count}</td></tr>`,
    )
  return windowPage('Objects', table(['Kind', '#Count'], rows))
}

export function objectsPage(world: World, kind: Kind, after: string | undefined): string {
  const rows = take(tableOf(world, kind).older(null, after), PAGE_SIZE)
  const title = `${titleOf(kind)} (${tableOf(world, kind).size})`
  return windowPage(title, html`${objectTable(world, rows)}${older(`${WINDOW}/objects/${kind}`, rows)}`)
}

/** An object as Stripe shows it, what belongs to it, and what was told of it. */
export function objectPage(parts: WindowParts, id: string): string | undefined {
  const { world } = parts
  const kind = findKind(world, id)
  if (kind === undefined) return undefined
  const row = tableOf(world, kind).must(id)
  const shown = world.render(row)
  const body =
    kind === 'events'
      ? html`${attemptsOf(parts, id)}<h2>Event</h2><pre>${jsonMarkup(world, shown)}</pre>`
      : html`<pre>${jsonMarkup(world, shown)}</pre>${belongingsOf(world, row)}${eventsAbout(world, id)}`
  return windowPage(`${row.object} ${id}`, body)
}

function belongingsOf(world: World, { id, object }: Row): Markup[] {
  return (belongings[object] ?? []).flatMap(([kind, index]) => {
    const count = tableOf(world, kind).count(index, id)
    if (count === 0) return []
    const rows = take(tableOf(world, kind).older({ index, key: id }, undefined), PAGE_SIZE)
    const note = count > rows.length ? `, the newest ${rows.length}` : ''
    return [html`<h2>${titleOf(kind)} (${count}${note})</h2>${objectTable(world, rows)}`]
  })
}

function eventsAbout(world: World, id: string): Markup {
  const found: Markup[] = []
  let searched = 0
  for (const event of world.events.older(null, undefined)) {
    if (found.length === EVENTS_SHOWN || ++searched > EVENTS_SEARCHED) break
    if (event.data.object.id !== id) continue
    found.push(
      html`<tr><td>${objectLink(event.id)}</td><td>${event.type}</td><td class="time">${time(event.created)}</td></tr>`,
    )
  }
  return html`<h2>Events, newest first</h2>${table(['Event', 'Type', 'Created'], found)}`
}

function objectTable(world: World, rows: readonly Row[]): Markup {
  const lines = rows.map((row) => {
    const shown = world.render(row)
    const created = shown.created ?? shown.date
    return html`<tr><td>${objectLink(row.id)}</td><td>${nameIn(shown)}</td><td>${shown.status as string}</td><td class="number">${amountIn(shown)}</td><td class="time">${typeof created === 'number' ? time(created) : null}</td></tr>`
  })
  return table(['Id', 'Name', 'Status', '#Amount', 'Created'], lines)
}

/** What a person would call it. */
function nameIn(shown: Json): Markup | string | null {
  for (const field of ['name', 'email', 'nickname', 'number', 'description', 'code', 'url', 'type']) {
    const value = shown[field]
    if (typeof value === 'string') return value
  }
  return typeof shown.customer === 'string' ? objectLink(shown.customer) : null
}

function amountIn(shown: Json): string | null {
  if (typeof shown.currency !== 'string') return null
  for (const field of ['amount_due', 'amount', 'unit_amount', 'total', 'amount_total', 'amount_requested']) {
    const value = shown[field]
    if (typeof value === 'number') return formatMoney(String(value), shown.currency)
  }
  return null
}
