// What Stripe answered in 2026-09-30.endive (October 2026): pay-rails/pay, test/vcr_cassettes/pay/stripe.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'

const world = await sharedWorld()
const { stripe } = world

async function subscribed(quantity: number) {
  const { id: product } = await stripe.products.create({ name: 'Test Subscription', unit_label: 'user' })
  const { id: price } = await world.price(2500, { product })
  const { id: customer } = await world.customer()
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price, quantity }] })
  return {
    subscription,
    invoice: await stripe.invoices.retrieve(subscription.latest_invoice as string),
  }
}

const countOf = (list: object) => (list as { total_count?: number }).total_count

/** customer_test/stripe_allows_subscription_quantities.yml */
test('ten of a product with a unit: the line says it as it is written; embedded lists are counted', async () => {
  const { subscription, invoice } = await subscribed(10)
  expect(invoice).toMatchObject({ total: 25_000, amount_paid: 25_000, billing_reason: 'subscription_create' })
  expect(invoice.lines.data).toMatchObject([
    {
      amount: 25_000,
      description: '10 user × Test Subscription (at $25.00 / month)',
      ...{ quantity: 10, subtotal: 25_000 },
    },
  ])
  expect(countOf(invoice.lines)).toBe(1)
  expect(countOf(subscription.items)).toBe(1)
})

/** charge_test/stripe_can_issue_credit_note_for_a_refund_for_Stripe_tax.yml */
test('5.00 of 25.00 given back by a line of its own', async () => {
  const { invoice } = await subscribed(1)
  expect(invoice.lines.data[0]?.description).toBe('1 user × Test Subscription (at $25.00 / month)')
  const note = await stripe.creditNotes.create({
    invoice: invoice.id,
    refund_amount: 500,
    lines: [{ type: 'custom_line_item', description: 'Refund', quantity: 1, unit_amount: 500 }],
  })
  const recorded = {
    ...{ amount: 500, amount_shipping: 0, currency: 'usd', customer_account: null },
    ...{ customer_balance_transaction: null, discount_amount: 0, discount_amounts: [] },
    ...{
      livemode: false,
      memo: null,
      metadata: {},
      number: `${invoice.number}-CN-01`,
      object: 'credit_note',
    },
    ...{ out_of_band_amount: null, post_payment_amount: 500, pre_payment_amount: 0, reason: null },
    ...{ pretax_credit_amounts: [], shipping_cost: null, status: 'issued', type: 'post_payment' },
    ...{ subtotal: 500, subtotal_excluding_tax: 500, total: 500, total_excluding_tax: 500 },
    ...{ total_taxes: [], voided_at: null, effective_at: note.created, invoice: invoice.id },
  }
  const line = {
    ...{ amount: 500, description: 'Refund', discount_amount: 0, discount_amounts: [], livemode: false },
    ...{ metadata: null, object: 'credit_note_line_item', pretax_credit_amounts: [], quantity: 1 },
    ...{ tax_rates: [], taxes: [], type: 'custom_line_item', unit_amount: 500 },
  }
  const { lines, refunds, pdf, ...rest } = plain(note)
  expect(rest).toEqual({ ...recorded, id: note.id, created: note.created, customer: invoice.customer })
  expect(pdf).toMatch(/^http/)
  expect(refunds).toEqual([
    ...[{ amount_refunded: 500, payment_record_refund: null, type: 'refund', refund: refunds[0]?.refund }],
  ])
  const { data, ...list } = lines
  expect(list).toEqual({ object: 'list', has_more: false, url: `/v1/credit_notes/${note.id}/lines` })
  const [{ id, unit_amount_decimal: unit, ...shown } = {} as Stripe.CreditNoteLineItem] = data
  expect(shown).toEqual(line)
  expect(id).toMatch(/^cnli_/)
  expect(String(unit)).toBe('500')
})

/** An answer without the client's own property. */
function plain<T extends object>(answer: T): Omit<T, 'lastResponse'> {
  const { lastResponse: _, ...rest } = answer as T & { lastResponse?: unknown }
  return rest
}
