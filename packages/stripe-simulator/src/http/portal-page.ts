import { methodOfCustomer } from '../billing/methods.ts'
import { itemsOf } from '../billing/periods.ts'
import { configurationOf } from '../resources/portal-configurations.ts'
import type { PortalRow, PriceRow, SubscriptionRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import type { World } from '../world.ts'
import { cardChoice } from './card-choice.ts'
import { dayOf, escaped, htmlPage, optionsOf } from './html.ts'

type Features = ReturnType<typeof configurationOf>['features']
type Flow = NonNullable<PortalRow['flow']>

const DETAILS = [
  ['email', 'E-mail'],
  ['name', 'Name'],
  ['phone', 'Phone'],
] as const

/** Details of several parts. */
const MORE = [
  ['address', ['Address', 'line1'], ['City', 'city'], ['Postal code', 'postal_code'], ['Country', 'country']],
  [
    'shipping',
    ['Recipient', 'shipping[name]'],
    ['Shipping address', 'shipping[line1]'],
    ['Shipping country', 'shipping[country]'],
  ],
  ['tax_id', ['Type of tax ID', 'tax_id[type]'], ['Tax ID', 'tax_id[value]']],
] as const

interface Portal {
  readonly world: World
  readonly session: PortalRow
  readonly features: Features
}

/** The portal of a session: what its configuration allows, or only the deed of its flow. `home` leaves the flow. */
export function portalPage(world: World, id: string, home: boolean, error?: string): string {
  const session = world.portals.get(id)
  if (session === undefined) return htmlPage('No such page', '')
  const { features } = configurationOf(world, session.configuration)
  const portal = { world, session, features }
  const body = session.flow === null || home ? homepage(portal) : flowPage(portal, session.flow)
  return htmlPage('Your plans', body + back(session), error)
}

/** What a flow shows when it is done and asks for a confirmation page. */
export function confirmationPage(session: PortalRow): string {
  const message =
    session.flow?.after_completion.hosted_confirmation?.custom_message ?? 'Your changes are saved.'
  return htmlPage('Done', `<p>${escaped(message)}</p>${back(session)}`)
}

function back({ return_url: url }: PortalRow): string {
  return url === null ? '' : `<p><a href="${escaped(url)}">Go back</a></p>`
}

function homepage(portal: Portal): string {
  const { world, session, features } = portal
  const plans = world.subscriptions
    .by('customer', session.customer)
    .filter((row) => row.status !== 'canceled' && row.status !== 'incomplete_expired')
    .map(
      (row) =>
        `<section><h2>${escaped(named(world, row))}</h2><p class="quiet">${whatIsNext(world, row)}</p>${planForms(portal, row)}</section>`,
    )
  const card = features.payment_method_update.enabled ? `<h2>Card</h2>${cardForm(world, session)}` : ''
  const details = features.customer_update.enabled ? `<h2>Details</h2>${detailsForm(portal)}` : ''
  const invoices = features.invoice_history.enabled ? invoiceList(portal) : ''
  return plans.join('') + card + details + invoices
}

function flowPage(portal: Portal, flow: Flow): string {
  const { world, session } = portal
  const about = (id: string) => world.subscriptions.must(id)
  switch (flow.type) {
    case 'payment_method_update':
      return cardForm(world, session)
    case 'customer_update':
      return detailsForm(portal)
    case 'subscription_cancel':
      return cancelForm(portal, about(flow.subscription_cancel?.subscription ?? ''))
    case 'subscription_pause':
      return pauseForm(portal, about(flow.subscription_pause?.subscription ?? ''))
    case 'subscription_update':
      return updateForm(portal, about(flow.subscription_update?.subscription ?? ''))
    case 'subscription_update_confirm':
      return confirmForm(portal, flow)
    default:
      throw new Error(`no page for the flow ${flow.type}`)
  }
}

function named(world: World, row: SubscriptionRow): string {
  const names = itemsOf(world, row.id).map(
    (item) => `${item.quantity ?? 1} × ${labelOf(world, world.prices.must(item.own.price))}`,
  )
  return `${names.join(', ')} (${row.id}, ${row.status})`
}

/** When a plan is charged again, or ends. */
function whatIsNext(world: World, row: SubscriptionRow): string {
  const ends = itemsOf(world, row.id).map((item) => item.current_period_end)
  if (row.cancel_at !== null) return `Ends on ${dayOf(row.cancel_at)}.`
  return row.status === 'trialing' && row.trial_end !== null
    ? `Free until ${dayOf(row.trial_end)}.`
    : `Renews on ${dayOf(Math.min(...ends))}.`
}

function planForms(portal: Portal, row: SubscriptionRow): string {
  const { subscription_cancel: cancel, subscription_update: update } = portal.features
  const changes = update.enabled && row.cancel_at === null && row.status !== 'paused'
  const others = (changes ? updateForm(portal, row) : '') + pauseForm(portal, row)
  if (!cancel.enabled) return others
  return (
    others +
    (row.cancel_at !== null
      ? form(portal.session, 'keep', `${about(row)}<button>Keep plan</button>`)
      : cancelForm(portal, row))
  )
}

function pauseForm({ session, features }: Portal, row: SubscriptionRow): string {
  if (!features.subscription_pause.enabled) return ''
  const [verb, words] = row.status === 'paused' ? ['resume', 'Resume plan'] : ['pause', 'Pause plan']
  return form(session, verb ?? '', `${about(row)}<button>${words}</button>`)
}

function cancelForm({ session, features }: Portal, row: SubscriptionRow): string {
  const { enabled, options } = features.subscription_cancel.cancellation_reason
  const why = enabled
    ? select(
        'Reason',
        'feedback',
        ['', ...options].map((option) => [option, option]),
      )
    : ''
  return offerForm(session) + form(session, 'cancel', `${about(row)}${why}<button>Cancel plan</button>`)
}

/** What is offered to whom would leave. */
function offerForm(session: PortalRow): string {
  const coupon = session.flow?.subscription_cancel?.retention?.coupon_offer?.coupon
  return coupon === undefined ? '' : form(session, 'accept', `<button>Stay, with ${escaped(coupon)}</button>`)
}

function updateForm({ world, session, features }: Portal, row: SubscriptionRow): string {
  const [item, ...others] = itemsOf(world, row.id)
  if (item === undefined || others.length > 0) return '<p>This plan cannot be changed here.</p>'
  const { products, default_allowed_updates: allowed } = features.subscription_update
  const prices = allowed.includes('price')
    ? [...new Set([item.own.price, ...(products ?? []).flatMap((product) => product.prices)])]
    : [item.own.price]
  const choices = prices.map((id): [string, string] => [id, labelOf(world, world.prices.must(id))])
  const seats = (products ?? []).some((product) => product.adjustable_quantity.enabled)
    ? `<label>Quantity <input name="quantity" type="number" value="${item.quantity ?? 1}"></label>`
    : ''
  const code = allowed.includes('promotion_code')
    ? '<label>Promotion code <input name="promotion_code"></label>'
    : ''
  return form(
    session,
    'update',
    `${about(row)}${select('Plan', 'price', choices)}${seats}${code}<button>Change plan</button>`,
  )
}

function confirmForm({ world, session }: Portal, flow: Flow): string {
  const proposed = flow.subscription_update_confirm?.items ?? []
  const rows = proposed.map(({ id, price, quantity }) => {
    const item = world.subscriptionItems.must(id)
    const next = world.prices.must(price ?? item.own.price)
    return `<li>${escaped(`${quantity ?? item.quantity ?? 1} × ${labelOf(world, next)}`)}</li>`
  })
  return form(session, 'confirm', `<ul>${rows.join('')}</ul><button>Confirm</button>`)
}

function cardForm(world: World, session: PortalRow): string {
  const customer = world.customers.must(session.customer)
  const card = world.paymentMethods.get(methodOfCustomer(customer))?.card
  const now =
    card == null ? '' : `<p class="quiet">Charged now: ${escaped(`${card.brand} ${card.last4}`)}</p>`
  return now + form(session, 'method', `${cardChoice()}<button>Change card</button>`)
}

function detailsForm({ world, session, features }: Portal): string {
  const customer = world.customers.must(session.customer)
  const inputs = DETAILS.filter(([name]) => features.customer_update.allowed_updates.includes(name)).map(
    ([name, label]) =>
      `<label>${label} <input name="${name}" value="${escaped(customer[name] ?? '')}"></label>`,
  )
  const more = MORE.filter(([name]) => features.customer_update.allowed_updates.includes(name)).flatMap(
    ([, ...fields]) => fields.map(([label, field]) => `<label>${label} <input name="${field}"></label>`),
  )
  return form(session, 'details', `${inputs.join('')}${more.join('')}<button>Save details</button>`)
}

function invoiceList({ world, session }: Portal): string {
  const invoices = world.invoices.by('customer', session.customer).filter((row) => row.status !== 'draft')
  const rows = invoices.map(
    (row) =>
      `<li><a href="${escaped(row.hosted_invoice_url ?? '')}">${escaped(row.number ?? row.id)}</a> ${escaped(formatMoney(String(row.total), row.currency))}, ${escaped(row.status ?? '')}</li>`,
  )
  return `<h2>Invoices</h2><ul>${rows.reverse().join('')}</ul>`
}

function labelOf(world: World, price: PriceRow): string {
  const { interval = 'month', interval_count: count = 1 } = price.recurring ?? {}
  const rhythm = count === 1 ? interval : `${count} ${interval}s`
  const money =
    price.unit_amount_decimal === null ? 'in tiers' : formatMoney(price.unit_amount_decimal, price.currency)
  return `${world.products.must(price.product).name}, ${money} / ${rhythm}`
}

function form(session: PortalRow, action: string, body: string): string {
  return `<form method="post" action="/_simulator/portal/${session.id}/${action}">${body}</form>`
}

function about(row: SubscriptionRow): string {
  return `<input type="hidden" name="subscription" value="${row.id}">`
}

function select(label: string, name: string, choices: readonly (readonly [string, string])[]): string {
  return `<label>${label} <select name="${name}">${optionsOf(choices)}</select></label>`
}
