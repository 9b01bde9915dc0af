import type { Random } from '../../support/random.ts'
import { answered, expectSame } from './answers.ts'
import type { Command } from './commands.ts'
import { cards, iso, type Life } from './life.ts'
import * as model from './model.ts'
import { type Paid, refundable } from './paid-time.ts'

/** Another card, one that fails too, or none; a failed payment confirmed; a part of what was paid given back. */
export function paymentCommands({ expected: now, random }: Life): Command[] {
  const others = (['pays', 'declines', 'asks'] as const).filter((card) => card !== now.card)
  return [
    payWith(now.card === 'pays' ? random.pick(others) : 'pays'),
    ...(now.card === 'pays' ? [] : [payWith('pays')]),
    ...(now.card === 'none' ? [] : [remove(random.pick(ways))]),
    ...(now.status === 'past_due' && now.card === 'asks' && now.open?.isAsked === true
      ? [confirmOpen(), confirmOpen()]
      : []),
    ...refundCommands(now, random),
  ]
}

export const payWith = (card: 'pays' | 'declines' | 'asks'): Command => ({
  name: `a card that ${card}`,
  isElsewhere: false,
  async run(stage, { payer, expected }) {
    const payload = { paymentMethod: cards[card] }
    const url = `/v1/subscriptions/${payer.subscriptionId}`
    await answered(stage, { method: 'PATCH', url, payload }, 200)
    return { model: model.payWith(expected, card) }
  },
})

/** Detached, by the customer in the portal or by anybody else, it is nobody's; or it is no longer the default one. */
const ways = ['is detached', 'is not the default any more'] as const

const remove = (way: (typeof ways)[number]): Command => ({
  name: `the card ${way}`,
  isElsewhere: true,
  async run({ world: { stripe } }, { payer, expected }) {
    const customer = await stripe.customers.retrieve(payer.customer)
    const method = customer.deleted ? null : customer.invoice_settings.default_payment_method
    if (typeof method !== 'string') throw new Error('There is no card to remove.')
    if (way === 'is detached') await stripe.paymentMethods.detach(method)
    else await stripe.customers.update(payer.customer, { invoice_settings: { default_payment_method: '' } })
    return { model: model.payWith(expected, 'none') }
  },
})

/** On the page of Stripe's that the customer got by e-mail. */
const confirmOpen = (): Command => ({
  name: 'confirm the payment',
  isElsewhere: true,
  async run({ world }, { payer, expected }) {
    const { data } = await world.stripe.paymentIntents.list({ customer: payer.customer, limit: 10 })
    const intent = data.find(({ status }) => status === 'requires_action')
    if (!intent) throw new Error('No payment waits for its customer.')
    world.simulator.control.authenticate(intent.id, 'succeed')
    return { model: { ...model.confirmOpen(expected), card: expected.card } }
  },
})

/** Of any invoice, also of one of before: all, a part, or too much. What waits for an invoice is a story of its own. */
export function refundCommands(now: model.Model, random: Random): Command[] {
  const { paid, status, pending, hasLeftPending } = now
  const isSame = (one: Paid, other: Paid) => one.at === other.at && one.total === other.total
  const all = paid.filter((one) => one.charge > 0 && paid.filter((other) => isSame(one, other)).length === 1)
  const isWaiting = pending.length > 0 || hasLeftPending
  if (all.length === 0 || isWaiting || !['active', 'canceled'].includes(status)) return []
  const invoice = random.pick(random.below(2) === 0 ? all : all.slice(-2))
  return [refund(invoice, 1 + random.below(invoice.charge))]
}

const refund = (invoice: Paid, amount: number): Command => ({
  name: `refund ${amount} of ${invoice.charge} paid at ${iso(invoice.at)}`,
  isElsewhere: false,
  isToBeHeard: true,
  async run(stage, { payer, expected }) {
    const { stripe, pool } = stage.world
    const { data } = await stripe.invoices.list({ subscription: payer.subscription, limit: 100 })
    const found = data.find(({ created, total }) => created === invoice.at && total === invoice.total)
    if (!found) throw new Error('What was paid has no invoice.')
    const { rows } = await pool.query<{ id: string }>(
      'select id from invoice where provider_invoice_id = $1',
      [found.id],
    )
    const left = refundable(invoice)
    const url = `/v1/invoices/${rows[0]?.id}/refunds?dryRun=false`
    const payload = { amount: (amount / 100).toFixed(2) }
    const { body } = await answered(stage, { method: 'POST', url, payload }, amount > left ? 422 : 201)
    if (amount <= left) return { model: model.refund(expected, invoice.number, amount) }
    expectSame('too much is refused', body.code, 'refund_exceeds_payment')
    return { model: expected }
  },
})
