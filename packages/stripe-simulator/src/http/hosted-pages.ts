import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StripeError } from '../errors.ts'
import type { Control } from '../faults/control.ts'
import type { PortalDeed } from '../resources/act-in-portal.ts'
import type { Json } from '../rows.ts'
import type { World } from '../world.ts'
import { challengePage, intentOf, returnAddress } from './challenge-page.ts'
import { completionOf } from './checkout-filled.ts'
import { checkoutPage } from './checkout-page.ts'
import { htmlPage } from './html.ts'
import { invoicePage } from './invoice-page.ts'
import { confirmationPage, portalPage } from './portal-page.ts'

type Form = Record<string, string | undefined>

/**
 * The pages that a browser is sent to: plain forms without scripts. The same addresses take JSON, for tests
 * that have no browser.
 */
export function addHostedPages(app: FastifyInstance, world: World, control: Control): void {
  addCheckout(app, world, control)
  addPortal(app, world, control)
  addChallenge(app, world, control)
  addInvoice(app, world, control)
}

function addCheckout(app: FastifyInstance, world: World, control: Control): void {
  app.get('/_simulator/checkout/:id', (request, reply) => {
    const session = world.checkouts.get(idOf(request))
    return html(reply, session === undefined ? 404 : 200, checkoutPage(world, session))
  })
  app.get('/_simulator/recover/:id', (request, reply) => {
    try {
      return reply.redirect(String(control.recoverCheckout(idOf(request)).url), 303)
    } catch (error) {
      if (!(error instanceof StripeError)) throw error
      return html(reply, error.status, htmlPage('No such page', '', error.message))
    }
  })
  app.post('/_simulator/checkout/:id/complete', (request, reply) => {
    const id = idOf(request)
    return answer(request, reply, {
      act: (form) => control.completeCheckout(id, completionOf(form)),
      next: (done) => String(done.success_url).replace('{CHECKOUT_SESSION_ID}', id),
      page: (error, form) => checkoutPage(world, world.checkouts.get(id), error, form),
    })
  })
}

function addPortal(app: FastifyInstance, world: World, control: Control): void {
  const portal = (home: boolean) => (request: FastifyRequest, reply: FastifyReply) => {
    const session = world.portals.get(idOf(request))
    return html(reply, session === undefined ? 404 : 200, portalPage(world, idOf(request), home))
  }
  app.get('/_simulator/portal/:id', portal(false))
  app.get('/_simulator/portal/:id/home', portal(true))
  app.get('/_simulator/portal/:id/done', (request, reply) => {
    const session = world.portals.get(idOf(request))
    if (session === undefined) return html(reply, 404, htmlPage('No such page', ''))
    return html(reply, 200, confirmationPage(session))
  })
  app.post('/_simulator/portal/:id/:action', (request, reply) => {
    const id = idOf(request)
    return answer(request, reply, {
      act: (form) => control.actInPortal(id, deedOf(request, form)),
      next: () => afterDeed(world, id),
      page: (error) => portalPage(world, id, false, error),
    })
  })
}

function deedOf(request: FastifyRequest, form: Form): PortalDeed {
  const { action } = request.params as { action: PortalDeed['action'] }
  const { quantity, subscription, feedback, comment, price } = form
  const { card, email, name, phone, address, shipping, taxId, promotionCode } = completionOf(form)
  return {
    ...{ action, subscription, feedback, comment, price, card, email, name, phone, address, shipping, taxId },
    ...{ promotionCode, quantity: quantity === undefined ? undefined : Number(quantity) },
  }
}

/** A flow ends as it was asked to: back at the business, on a confirmation page, or in the portal. */
function afterDeed(world: World, id: string): string {
  const after = world.portals.must(id).flow?.after_completion
  if (after?.redirect != null) return after.redirect.return_url
  return `/_simulator/portal/${id}/${after?.type === 'hosted_confirmation' ? 'done' : 'home'}`
}

function addChallenge(app: FastifyInstance, world: World, control: Control): void {
  app.get('/_simulator/intents/:id', (request, reply) => {
    const intent = intentOf(world, idOf(request))
    return html(reply, intent === undefined ? 404 : 200, challengePage(intent))
  })
  app.post('/_simulator/intents/:id/challenge', (request, reply) => {
    const id = idOf(request)
    const before = intentOf(world, id)
    if (before?.status !== 'requires_action') return html(reply, 400, challengePage(before))
    const { form } = bodyOf(request)
    let refused = form.outcome === 'fail'
    try {
      control.authenticate(id, refused ? 'fail' : 'succeed')
    } catch (error) {
      // The challenge was passed and the card declined all the same: the page says so, the intent keeps it.
      if (!(error instanceof StripeError) || error.status !== 402) throw error
      refused = true
    }
    const after = intentOf(world, id) ?? before
    const address = returnAddress(before, after, refused)
    if (address !== null) return reply.redirect(address, 303)
    return html(reply, 200, challengePage(after, refused ? 'The payment did not go through.' : undefined))
  })
}

function addInvoice(app: FastifyInstance, world: World, control: Control): void {
  app.get('/_simulator/invoices/:id', (request, reply) => {
    const invoice = world.invoices.get(idOf(request))
    return html(reply, invoice === undefined ? 404 : 200, invoicePage(invoice))
  })
  app.post('/_simulator/invoices/:id/pay', (request, reply) => {
    const id = idOf(request)
    const { form, json } = bodyOf(request)
    try {
      const paid = control.payInvoice(id, form.card)
      return json ? reply.send(paid) : reply.redirect(`/_simulator/invoices/${id}`, 303)
    } catch (error) {
      if (!(error instanceof StripeError)) throw error
      if (json) return reply.code(error.status).send({ error: error.body })
      const intent = world.paymentIntents.get(world.invoices.get(id)?.own.paymentIntent)
      if (intent?.status === 'requires_action') return reply.redirect(`/_simulator/intents/${intent.id}`, 303)
      return html(reply, error.status, invoicePage(world.invoices.get(id), error.message))
    }
  })
}

interface Deed {
  readonly act: (form: Form) => Json
  /** Where a browser goes after a deed. */
  readonly next: (done: Json) => string
  /** The page again, with what was refused and what had been filled in. */
  readonly page: (error: string, form: Form) => string
}

function answer(request: FastifyRequest, reply: FastifyReply, { act, next, page }: Deed) {
  const { form, json } = bodyOf(request)
  try {
    const done = act(form)
    return json ? reply.send(done) : reply.redirect(next(done), 303)
  } catch (error) {
    if (!(error instanceof StripeError)) throw error
    if (json) return reply.code(error.status).send({ error: error.body })
    return html(reply, error.status, page(error.message, form))
  }
}

function html(reply: FastifyReply, status: number, body: string) {
  return reply.code(status).type('text/html; charset=utf-8').send(body)
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}

/** Fields that were left empty were not filled in. */
function bodyOf(request: FastifyRequest): { form: Form; json: boolean } {
  const { form } = (request.body ?? {}) as { form?: string }
  if (typeof form !== 'string') return { form: (request.body ?? {}) as Form, json: true }
  const filled = [...new URLSearchParams(form)].filter(([, value]) => value !== '')
  return { form: Object.fromEntries(filled), json: false }
}
