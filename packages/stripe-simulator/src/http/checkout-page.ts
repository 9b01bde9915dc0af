import { asksForTaxId } from '../resources/checkout-answers.ts'
import type { CheckoutRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import type { World } from '../world.ts'
import { cardChoice } from './card-choice.ts'
import { askedFor, chosen, type Filled, inputOf, note } from './checkout-questions.ts'
import { dayOf, escaped, htmlPage, optionsOf } from './html.ts'

const ANSWERS = [
  ['succeed', 'confirm'],
  ['fail', 'refuse'],
] as const

/**
 * The page of a Checkout session: what is bought, the card, and how its holder answers the bank. After a refusal it
 * says why, and what was filled in stays.
 */
export function checkoutPage(
  world: World,
  session: CheckoutRow | undefined,
  error?: string,
  filled: Filled = {},
): string {
  if (session === undefined) return htmlPage('No such page', '')
  if (session.status !== 'open') return htmlPage(`This page is ${session.status}`, '')
  const money = (amount: number) => formatMoney(String(amount), session.currency ?? 'usd')
  const items = session.own.items as unknown as Bought[]
  const rows = items.map(
    (item) =>
      `<li>${escaped(`${item.quantity === null ? '' : `${item.quantity} × `}${item.description}: ${money(item.amount_total)}`)}</li>`,
  )
  const known = world.customers.get(session.customer)
  const asked = session.customer_email ?? ''
  const email =
    (known?.email ?? null) === null ? inputOf('E-mail', 'email', filled, { type: 'email', value: asked }) : ''
  const code =
    session.allow_promotion_codes === true
      ? inputOf('Promotion code', 'promotion_code', filled, { optional: true })
      : ''
  const full = session.billing_address_collection === 'required'
  const place = session.automatic_tax.enabled || full
  const address = place
    ? inputOf('Country', 'country', filled, { optional: !full, maxLength: 2 }) +
      inputOf('State', 'state', filled, { optional: true, maxLength: 2 }) +
      inputOf('Postal code', 'postal_code', filled, { optional: true }) +
      (full
        ? inputOf('City', 'city', filled, { optional: true }) +
          inputOf('Address', 'line1', filled, { optional: true })
        : '')
    : ''
  const questions = askedFor(session, filled, asksForTaxId(world, session))
  const back =
    session.cancel_url === null ? '' : `<p><a href="${escaped(session.cancel_url)}">Go back</a></p>`
  return htmlPage(
    session.mode === 'setup' ? 'Save a card' : 'Checkout',
    `<ul>${rows.join('')}</ul>${whatIsCharged(session)}<form method="post" action="/_simulator/checkout/${session.id}/complete">${chosen(session, filled, { nameOf: (price) => nameOf(world, price), costOf: (price) => costOf(world.prices.must(price)) })}${email}${questions}${address}${code}${cardChoice(filled.card)}
<label>If the bank asks <select name="authenticate">${optionsOf(ANSWERS, filled.authenticate)}</select></label>
${note(session.custom_text.submit)}<button>${submitOf(session)}</button>${note(session.custom_text.after_submit)}</form>${back}`,
    error,
  )
}

interface Bought {
  readonly description: string
  readonly quantity: number | null
  readonly amount_total: number
}

function nameOf(world: World, price: string): string {
  return world.products.must(world.prices.must(price).product).name
}

/** "Describes the type of transaction being performed in order to customize the submit button." */
const SUBMIT: Readonly<Record<string, string>> = {
  book: 'Book',
  donate: 'Donate',
  pay: 'Pay',
  subscribe: 'Subscribe',
}

function submitOf({ mode, amount_total: total, submit_type: type }: CheckoutRow): string {
  if (mode === 'setup') return 'Save card'
  return SUBMIT[type ?? 'auto'] ?? (total === 0 ? 'Subscribe' : 'Pay')
}

interface Item {
  readonly quantity: number | null
  readonly price: Price
}

interface Price {
  readonly currency: string
  /** Null when the price is in tiers. */
  readonly unit_amount_decimal: string | null
  readonly recurring: {
    readonly interval: string
    readonly interval_count: number
    readonly usage_type: string
  } | null
}

/** What one costs, and how often: `$4.00 every month`, `$0.04 every month, for what is used`. */
function costOf({ currency, unit_amount_decimal: unit, recurring }: Price): string {
  const amount = unit === null ? 'by its tiers' : formatMoney(unit, currency)
  if (recurring === null) return amount
  const { interval, interval_count: count, usage_type: usage } = recurring
  const often = `every ${count === 1 ? interval : `${count} ${interval}s`}`
  return `${amount} ${often}${usage === 'metered' ? ', for what is used' : ''}`
}

/** What is charged now, and what later and when; later amounts before discounts and taxes. */
function whatIsCharged({ mode, currency, amount_total: now, own }: CheckoutRow): string {
  if (mode === 'setup') return '<p>Nothing is charged now. The card is kept for later payments.</p>'
  const money = (amount: string) => formatMoney(amount, currency ?? 'usd')
  const due = `<p class="total">Due now: ${escaped(money(String(now ?? 0)))}</p>`
  if (mode === 'payment') return `${due}<p class="quiet">Charged once.</p>`
  const later = (own.items as unknown as Item[]).flatMap(({ quantity, price }) => {
    if (price.recurring === null) return []
    return [quantity === null ? costOf(price) : `${quantity} × ${costOf(price)}`]
  })
  const text = `${freeUntil(own.params)}${later.join(', ')}, until it is canceled.`
  return `${due}<p class="quiet">${escaped(text)}</p>`
}

function freeUntil({ subscription_data: data }: CheckoutRow['own']['params']): string {
  if (data?.trial_end !== undefined) return `Free until ${dayOf(data.trial_end)}, then `
  return data?.trial_period_days === undefined ? 'Then ' : `Free for ${data.trial_period_days} days, then `
}
