import type Stripe from 'stripe'
import fc from '../../../../test/support/fast-check.ts'
import { kind, which } from './step.ts'
import { invoices, pick, type Story, subscriptions } from './story.ts'

async function invoice(story: Story, drawn: number, ...statuses: Stripe.Invoice.Status[]) {
  const all = await invoices(story)
  return pick(
    all.filter(({ status }) => statuses.includes(status as Stripe.Invoice.Status)),
    drawn,
  )
}

const item = kind(
  4,
  'add an invoice item',
  { on: fc.option(which), amount: fc.integer({ min: -90, max: 600 }).map((tens) => tens * 10) },
  async (story, { on, amount }) => {
    const { stripe, customer, currency } = story
    const running = (await subscriptions(story)).filter(({ ended_at }) => ended_at === null)
    const subscription = on === null ? undefined : pick(running, on)?.id
    return stripe.invoiceItems.create({ customer, currency, amount, ...(subscription && { subscription }) })
  },
)

const bill = kind(
  2,
  'make an invoice',
  { coupon: fc.option(which), tax: fc.option(which), amount: fc.integer({ min: 0, max: 900 }) },
  async ({ stripe, customer, currency, coupons, taxRates }, { coupon, tax, amount }) => {
    const { id } = await stripe.invoices.create({
      customer,
      currency,
      pending_invoice_items_behavior: 'include',
      ...(coupon === null ? {} : { discounts: [{ coupon: pick(coupons, coupon) as string }] }),
      ...(tax === null ? {} : { default_tax_rates: [pick(taxRates, tax) as string] }),
    })
    return stripe.invoiceItems.create({ customer, invoice: id, currency, amount: amount * 10 })
  },
)

const settle = kind(
  5,
  'settle an invoice',
  { on: which, by: fc.constantFrom('pay', 'pay', 'pay', 'cash', 'void', 'write off', 'send') },
  async (story, { on, by }) => {
    const found = await invoice(story, on, 'open', 'uncollectible')
    if (found === undefined) return undefined
    const { invoices: calls } = story.stripe
    const deeds: Record<typeof by, () => Promise<unknown>> = {
      pay: () => calls.pay(found.id),
      cash: async () => {
        await calls.pay(found.id, { paid_out_of_band: true })
        return story.cash.add(found.id)
      },
      void: () => calls.voidInvoice(found.id),
      'write off': () => calls.markUncollectible(found.id),
      send: () => calls.sendInvoice(found.id),
    }
    return deeds[by]?.()
  },
)

const draft = kind(
  2,
  'end a draft',
  { on: which, by: fc.constantFrom('finalize', 'finalize', 'pay', 'delete') },
  async (story, { on, by }) => {
    const found = await invoice(story, on, 'draft')
    if (found === undefined) return undefined
    const { invoices: calls } = story.stripe
    if (by === 'finalize') return calls.finalizeInvoice(found.id)
    return by === 'pay' || found.billing_reason !== 'manual' ? calls.pay(found.id) : calls.del(found.id)
  },
)

const credit = kind(
  3,
  'credit an invoice',
  { on: which, percent: fc.integer({ min: 1, max: 100 }), by: fc.constantFrom('credit', 'refund', 'cash') },
  async (story, { on, percent, by }) => {
    const found = await invoice(story, on, 'open', 'paid')
    if (found === undefined) return undefined
    const amount = Math.max(10, Math.floor((found.total * percent) / 1000) * 10)
    const over = Math.max(0, amount - found.amount_remaining)
    const given = { credit: 'credit_amount', refund: 'refund_amount', cash: 'out_of_band_amount' }[
      by
    ] as string
    return story.stripe.creditNotes.create({
      invoice: found.id,
      amount,
      ...(over > 0 ? { [given]: over } : {}),
    })
  },
)

const takeBack = kind(1, 'void a credit note', { on: which }, async ({ stripe, customer }, { on }) => {
  const notes = await stripe.creditNotes.list({ customer, limit: 100 })
  const found = pick(
    notes.data.filter(({ status, type }) => status === 'issued' && type === 'pre_payment'),
    on,
  )
  return found && stripe.creditNotes.voidCreditNote(found.id)
})

const refund = kind(
  3,
  'refund a charge',
  { on: which, percent: fc.integer({ min: 1, max: 100 }) },
  async ({ stripe, customer }, { on, percent }) => {
    const charges = (await stripe.charges.list({ customer, limit: 100 })).data
    const found = pick(
      charges.filter(({ paid, refunded }) => paid && !refunded),
      on,
    )
    if (found === undefined) return undefined
    const rest = found.amount - found.amount_refunded
    const part = Math.floor((rest * percent) / 1000) * 10
    return stripe.refunds.create({ charge: found.id, amount: part > 0 ? part : rest })
  },
)

const balance = kind(
  2,
  'change the balance',
  { tens: fc.integer({ min: -300, max: 200 }) },
  ({ stripe, customer, currency }, { tens }) =>
    stripe.customers.createBalanceTransaction(customer, { amount: (tens || 1) * 10, currency }),
)

const card = kind(
  3,
  'change the card',
  {
    token: fc.constantFrom(
      'pm_card_visa',
      'pm_card_visa',
      'pm_card_chargeCustomerFail',
      'pm_card_threeDSecure2Required',
      'pm_card_pendingRefund',
      'pm_card_refundFail',
    ),
  },
  ({ world, customer }, { token }) => world.setCard(customer, token),
)

const answer = kind(
  3,
  'answer 3-D Secure',
  { on: which, outcome: fc.constantFrom('succeed', 'succeed', 'fail') },
  async ({ stripe, world, customer }, { on, outcome }) => {
    const intents = (await stripe.paymentIntents.list({ customer, limit: 100 })).data
    const found = pick(
      intents.filter(({ status }) => status === 'requires_action'),
      on,
    )
    return found && world.simulator.control.authenticate(found.id, outcome as 'succeed')
  },
)

export const moneySteps = [item, bill, settle, draft, credit, takeBack, refund, balance, card, answer]
