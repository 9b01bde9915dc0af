import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StripeError } from '../errors.ts'
import type { Control } from '../faults/control.ts'
import type { CheckoutRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import type { World } from '../world.ts'
import { escaped, htmlPage } from './html.ts'

const CARDS = [
  'pm_card_visa',
  'pm_card_mastercard',
  'pm_card_chargeDeclined',
  'pm_card_chargeCustomerFail',
  'pm_card_authenticationRequired',
]

type Form = Record<string, string | undefined>

/**
 * The pages that a browser is sent to: plain forms without scripts. The same addresses take JSON, for tests
 * that have no browser.
 */
export function addHostedPages(app: FastifyInstance, world: World, control: Control): void {
  app.get('/_simulator/checkout/:id', (request, reply) => {
    const session = world.checkouts.get(idOf(request))
    return html(reply, session === undefined ? 404 : 200, checkoutPage(session))
  })
  app.post('/_simulator/checkout/:id/complete', (request, reply) => {
    const { form, json } = bodyOf(request)
    const id = idOf(request)
    try {
      const done = control.completeCheckout(id, {
        card: form.card,
        authenticate: form.authenticate === 'fail' ? 'fail' : (form.authenticate as 'succeed' | undefined),
        email: form.email === '' ? undefined : form.email,
      })
      if (json) return reply.send(done)
      return reply.redirect(String(done.success_url).replace('{CHECKOUT_SESSION_ID}', id), 303)
    } catch (error) {
      if (!(error instanceof StripeError)) throw error
      if (json) return reply.code(error.status).send({ error: error.body })
      return html(reply, error.status, checkoutPage(world.checkouts.get(id), error.message))
    }
  })
  app.get('/_simulator/portal/:id', (request, reply) => {
    const session = world.portals.get(idOf(request))
    if (session === undefined) return html(reply, 404, htmlPage('No such page', ''))
    return html(reply, 200, portalPage(world, session.id))
  })
  app.post('/_simulator/portal/:id/:action', (request, reply) => {
    const { form, json } = bodyOf(request)
    const id = idOf(request)
    try {
      const { action } = request.params as { action: 'cancel' | 'keep' | 'method' }
      const result = control.actInPortal(id, { action, subscription: form.subscription, card: form.card })
      return json ? reply.send(result) : reply.redirect(`/_simulator/portal/${id}`, 303)
    } catch (error) {
      if (!(error instanceof StripeError)) throw error
      if (json) return reply.code(error.status).send({ error: error.body })
      return html(reply, error.status, portalPage(world, id, error.message))
    }
  })
}

function checkoutPage(session: CheckoutRow | undefined, error?: string): string {
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
  const back =
    session.cancel_url === null ? '' : `<p><a href="${escaped(session.cancel_url)}">Go back</a></p>`
  return htmlPage(
    session.mode === 'setup' ? 'Save a card' : 'Checkout',
    `<ul>${rows.join('')}</ul>${total}<form method="post" action="/_simulator/checkout/${session.id}/complete">${email}${cardChoice()}
<label>If the bank asks <select name="authenticate"><option value="succeed">confirm</option><option value="fail">refuse</option></select></label>
<button>${session.mode === 'setup' ? 'Save' : 'Pay'}</button></form>${back}`,
    error,
  )
}

function portalPage(world: World, id: string, error?: string): string {
  const session = world.portals.get(id)
  if (session === undefined) return htmlPage('No such page', '')
  const plans = world.subscriptions
    .by('customer', session.customer)
    .filter((row) => row.status !== 'canceled' && row.status !== 'incomplete_expired')
    .map((row) => {
      const [verb, words] = row.cancel_at_period_end ? ['keep', 'Keep plan'] : ['cancel', 'Cancel plan']
      return `<form method="post" action="/_simulator/portal/${id}/${verb}"><input type="hidden" name="subscription" value="${row.id}">${escaped(`${row.id}, ${row.status}`)} <button>${words}</button></form>`
    })
  const back =
    session.return_url === null ? '' : `<p><a href="${escaped(session.return_url)}">Go back</a></p>`
  return htmlPage(
    'Your plans',
    `${plans.join('')}<form method="post" action="/_simulator/portal/${id}/method">${cardChoice()}<button>Change card</button></form>${back}`,
    error,
  )
}

function cardChoice(): string {
  return `<label>Card <select name="card">${CARDS.map((card) => `<option>${card}</option>`).join('')}</select></label>`
}

function html(reply: FastifyReply, status: number, body: string) {
  return reply.code(status).type('text/html; charset=utf-8').send(body)
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}

function bodyOf(request: FastifyRequest): { form: Form; json: boolean } {
  const { form } = (request.body ?? {}) as { form?: string }
  if (typeof form === 'string') return { form: Object.fromEntries(new URLSearchParams(form)), json: false }
  return { form: (request.body ?? {}) as Form, json: true }
}
