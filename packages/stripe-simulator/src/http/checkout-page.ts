import type { CheckoutRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import { cardChoice } from './card-choice.ts'
import { dayOf, escaped, htmlPage, optionsOf } from './html.ts'

/** What was filled in before, by the names of the fields. */
type Filled = Readonly<Record<string, string | undefined>>

const ANSWERS = [
  ['succeed', 'confirm'],
  ['fail', 'refuse'],
] as const

/**
 * The page of a Checkout session: what is bought, the card, and how its holder answers the bank. After a refusal it
 * says why, and what was filled in stays.
 */
export function checkoutPage(session: CheckoutRow | undefined, error?: string, filled: Filled = {}): string {
  if (session === undefined) return htmlPage('No such page', '')
  if (session.status !== 'open') return htmlPage(`This page is ${session.status}`, '')
  const money = (amount: number) => formatMoney(String(amount), session.currency ?? 'usd')
  const items = session.own.items as { description: string; quantity: number; amount_total: number }[]
  const rows = items.map(
    (item) => `<li>${escaped(`${item.quantity} × ${item.description}: ${money(item.amount_total)}`)}</li>`,
  )
  const submit = session.mode === 'setup' ? 'Save card' : session.amount_total === 0 ? 'Subscribe' : 'Pay'
  const field = (label: string, name: string, more = '') =>
    `<label>${label} <input name="${name}"${more} value="${escaped(filled[name] ?? '')}"></label>`
  const asked = session.customer_email ?? ''
  const email =
    session.customer === null
      ? `<label>E-mail <input name="email" type="email" required value="${escaped(filled.email ?? asked)}"></label>`
      : ''
  const code = session.allow_promotion_codes === true ? field('Promotion code', 'promotion_code') : ''
  const place = session.automatic_tax.enabled || session.billing_address_collection === 'required'
  const address = place
    ? field('Country', 'country', ' maxlength="2"') +
      field('State', 'state', ' maxlength="2"') +
      field('Postal code', 'postal_code')
    : ''
  const back =
    session.cancel_url === null ? '' : `<p><a href="${escaped(session.cancel_url)}">Go back</a></p>`
  return htmlPage(
    session.mode === 'setup' ? 'Save a card' : 'Checkout',
    `<ul>${rows.join('')}</ul>${whatIsCharged(session)}<form method="post" action="/_simulator/checkout/${session.id}/complete">${email}${address}${code}${cardChoice(filled.card)}
<label>If the bank asks <select name="authenticate">${optionsOf(ANSWERS, filled.authenticate)}</select></label>
<button>${submit}</button></form>${back}`,
    error,
  )
}

interface Item {
  readonly quantity: number | null
  readonly price: {
    /** Null when the price is in tiers. */
    readonly unit_amount_decimal: string | null
    readonly recurring: { readonly interval: string; readonly interval_count: number } | null
  }
}

/** What is charged now, and what later and when; later amounts before discounts and taxes. */
function whatIsCharged({ mode, currency, amount_total: now, own }: CheckoutRow): string {
  if (mode === 'setup') return '<p>Nothing is charged now. The card is kept for later payments.</p>'
  const money = (amount: string) => formatMoney(amount, currency ?? 'usd')
  const due = `<p class="total">Due now: ${escaped(money(String(now ?? 0)))}</p>`
  if (mode === 'payment') return `${due}<p class="quiet">Charged once.</p>`
  const later = (own.items as unknown as Item[]).flatMap(({ quantity, price }) => {
    if (price.recurring === null) return []
    const { interval, interval_count: count } = price.recurring
    const amount = price.unit_amount_decimal === null ? 'by its tiers' : money(price.unit_amount_decimal)
    return [`${quantity ?? 1} × ${amount} every ${count === 1 ? interval : `${count} ${interval}s`}`]
  })
  const text = `${freeUntil(own.params)}${later.join(', ')}, until it is canceled.`
  return `${due}<p class="quiet">${escaped(text)}</p>`
}

function freeUntil({ subscription_data: data }: CheckoutRow['own']['params']): string {
  if (data?.trial_end !== undefined) return `Free until ${dayOf(data.trial_end)}, then `
  return data?.trial_period_days === undefined ? 'Then ' : `Free for ${data.trial_period_days} days, then `
}
