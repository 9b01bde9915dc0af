import { StripeError } from '../errors.ts'
import { advanceClock } from '../resources/test-clocks.ts'
import type { TestClockRow } from '../rows.ts'
import { addMonths } from '../rules/billing-cycle.ts'
import { NOBODY, type World } from '../world.ts'
import { objectLink } from './json.ts'
import { html, type Markup } from './markup.ts'
import { older, PAGE_SIZE, table, take, time, WINDOW, windowPage } from './page.ts'

const URL = `${WINDOW}/clocks`
const HOUR = 3600

/** Where a button turns a clock to. */
const turns = {
  hour: { label: '+1 hour', to: (now: number) => now + HOUR },
  day: { label: '+1 day', to: (now: number) => now + 24 * HOUR },
  week: { label: '+1 week', to: (now: number) => now + 7 * 24 * HOUR },
  month: { label: '+1 month', to: (now: number) => addMonths(now, 1) },
} as const

export function clocksPage(world: World, after: string | undefined, error?: string): string {
  const rows = take(world.testClocks.older(null, after), PAGE_SIZE)
  const lines = rows.map((clock) => {
    const next = world.nextAlarm(clock.id)
    const due = next === undefined ? null : html`${time(next.at)}<br><span class="quiet">${next.kind}</span>`
    return html`<tr><td>${objectLink(clock.id)}<br>${clock.name}</td><td class="time">${time(clock.own.now)}</td><td>${clock.status}</td><td>${due}</td><td>${buttons(clock, next?.at)}</td></tr>`
  })
  return windowPage(
    'Clocks',
    html`${table(['Clock', 'Its time', 'Status', 'Next due', 'Turn it'], lines)}${older(URL, rows)}`,
    error,
  )
}

/** An advancing clock is turned on when it is ready; the page is to be loaded again. */
function buttons({ id, status }: TestClockRow, due: number | undefined): Markup {
  if (status !== 'ready') return html`<a href="${URL}">Look again</a>`
  const names = Object.entries(turns).map(
    ([by, { label }]) => html`<button name="by" value="${by}">${label}</button> `,
  )
  const next = due === undefined ? null : html`<button name="by" value="due">To what is due</button>`
  return html`<form method="post" action="${URL}/${id}/advance">${names}${next}</form>`
}

/** Turns a clock; answers what the API would refuse it with. */
export function turnClock(world: World, id: string, by: string | undefined): string | undefined {
  const clock = world.testClocks.get(id)
  if (clock === undefined) return `There is no clock ${id}.`
  const turn = by !== undefined && Object.hasOwn(turns, by) ? turns[by as keyof typeof turns] : undefined
  const to = by === 'due' ? world.nextAlarm(id)?.at : turn?.to(clock.frozen_time)
  if (to === undefined) return 'Say how far the clock is to be turned.'
  try {
    // What is due now was due before: a clock moves on by a second at least.
    world.transaction(NOBODY, () => advanceClock(world, id, Math.max(to, clock.frozen_time + 1)))
    return undefined
  } catch (error) {
    if (error instanceof StripeError) return error.message
    throw error
  }
}
