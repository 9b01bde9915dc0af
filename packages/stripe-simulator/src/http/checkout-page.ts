import type { CheckoutRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import { cardChoice } from './card-choice.ts'
import { escaped, htmlPage } from './html.ts'

/** The page of a Checkout session: what is bought, the card, and how its holder answers the bank. */
export function checkoutPage(session: CheckoutRow | undefined, error?: string): string {
  if (session === undefined) return htmlPage('No such page', '')
  if (session.status !== 'open') return htmlPage(`This page is ${session.status}`, '')
  const money = (amount: number) => formatMoney(String(amount), session.currency ?? 'usd')
  const items = session.own.items as { description: string; quantity: number; amount_total: number }[]
  const rows = items.map(
    (item) => `<li>${escaped(`${item.quantity} × ${item.description}: ${money(item.amount_total)}`)}</li>`,
  )
  const total = session.amount_total === null ? '' : `<p>Due now: ${money(session.amount_total)}</p>`
  const email =
    session.customer === null
      ? `<label>E-mail <input name="email" type="email" value="${escaped(session.customer_email ?? '')}"></label>`
      : ''
  const code =
    session.allow_promotion_codes === true
      ? '<label>Promotion code <input name="promotion_code"></label>'
      : ''
  const place = session.automatic_tax.enabled || session.billing_address_collection === 'required'
  const address = place
    ? '<label>Country <input name="country" maxlength="2"></label><label>State <input name="state" maxlength="2"></label><label>Postal code <input name="postal_code"></label>'
    : ''
  const back =
    session.cancel_url === null ? '' : `<p><a href="${escaped(session.cancel_url)}">Go back</a></p>`
  return htmlPage(
    session.mode === 'setup' ? 'Save a card' : 'Checkout',
    `<ul>${rows.join('')}</ul>${total}<form method="post" action="/_simulator/checkout/${session.id}/complete">${email}${address}${code}${cardChoice()}
<label>If the bank asks <select name="authenticate"><option value="succeed">confirm</option><option value="fail">refuse</option></select></label>
<button>${session.mode === 'setup' ? 'Save' : 'Pay'}</button></form>${back}`,
    error,
  )
}
