import { formatMoney } from '../rules/currency.ts'
import type { World } from '../world.ts'
import { objectLink } from './json.ts'
import { html } from './markup.ts'
import { PAGE_SIZE, ROOT, table, take, time, WINDOW, windowPage } from './page.ts'

/** Intents whose customer has a challenge of the bank to answer, newest first. */
export function waitingPage(world: World, error?: string): string {
  const payments = take(
    filtered(world.paymentIntents.older(null, undefined), (row) => row.status === 'requires_action'),
    PAGE_SIZE,
  ).map((row) => ({ ...row, what: formatMoney(String(row.amount), row.currency) }))
  const setups = take(
    filtered(world.setupIntents.older(null, undefined), (row) => row.status === 'requires_action'),
    PAGE_SIZE,
  ).map((row) => ({ ...row, what: 'to save a card' }))
  const lines = [...payments, ...setups].map(
    ({ id, what, customer, created }) =>
      html`<tr><td>${objectLink(id)}</td><td class="number">${what}</td><td>${typeof customer === 'string' ? objectLink(customer) : null}</td><td class="time">${time(created)}</td><td><a href="${ROOT}/intents/${id}">Its page</a> <form method="post" action="${WINDOW}/intents/${id}/authenticate"><button name="outcome" value="succeed">Confirm</button> <button name="outcome" value="fail">Refuse</button></form></td></tr>`,
  )
  return windowPage(
    'Waiting for 3-D Secure',
    table(['Intent', '#Amount', 'Customer', 'Created', 'As its holder'], lines),
    error,
  )
}

function* filtered<T>(items: Iterable<T>, wanted: (item: T) => boolean): Generator<T> {
  for (const item of items) if (wanted(item)) yield item
}
