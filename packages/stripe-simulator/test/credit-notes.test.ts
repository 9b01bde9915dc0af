// docs.stripe.com/api/credit_notes and docs.stripe.com/invoicing/dashboard/credit-notes
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

async function paidInvoice(amount = 2500, quantity = 1) {
  const ada = await world.customer()
  const { id: price } = await world.price(amount)
  const subscription = await world.stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price, quantity }],
  })
  return { ada, invoice: await world.stripe.invoices.retrieve(subscription.latest_invoice as string) }
}

async function openInvoice(amount: number, card = 'pm_card_visa') {
  const ada = await world.customer({ card })
  const { stripe } = world
  const draft = await stripe.invoices.create({
    customer: ada.id,
    collection_method: 'send_invoice',
    days_until_due: 30,
  })
  await stripe.invoiceItems.create({ customer: ada.id, invoice: draft.id, amount, currency: 'usd' })
  return { ada, invoice: await stripe.invoices.finalizeInvoice(draft.id) }
}

test('a note on a paid invoice, credited to the balance', async () => {
  const { ada, invoice } = await paidInvoice()
  let note: Stripe.CreditNote | undefined
  const types = await world.typesDuring(async () => {
    note = await world.stripe.creditNotes.create({ invoice: invoice.id, amount: 500, credit_amount: 500 })
  })
  expect(note).toMatchObject({
    amount: 500,
    total: 500,
    subtotal: 500,
    pre_payment_amount: 0,
    post_payment_amount: 500,
    type: 'post_payment',
    status: 'issued',
    number: `${invoice.number}-CN-01`,
    refunds: [],
  })
  expect(types.sort()).toEqual(['credit_note.created', 'customer.updated', 'invoice.updated'])
  const after = await world.stripe.invoices.retrieve(invoice.id)
  expect(after).toMatchObject({
    status: 'paid',
    total: 2500,
    amount_paid: 2500,
    post_payment_credit_notes_amount: 500,
    pre_payment_credit_notes_amount: 0,
  })
  expect(await world.stripe.customers.retrieve(ada.id)).toMatchObject({ balance: -500 })
  const { data } = await world.stripe.customers.listBalanceTransactions(ada.id)
  expect(data[0]).toMatchObject({
    type: 'credit_note',
    amount: -500,
    ending_balance: -500,
    credit_note: note?.id,
    invoice: invoice.id,
    id: note?.customer_balance_transaction,
  })
})

test('the next invoice takes the credit: 2500 - 500', async () => {
  const { ada, invoice } = await paidInvoice()
  await world.stripe.creditNotes.create({ invoice: invoice.id, amount: 500, credit_amount: 500 })
  await world.advance(ada.clock, 1769904000 + 2 * 3600)
  const [, renewal] = await world.invoices(invoice.parent?.subscription_details?.subscription as string)
  expect(renewal).toMatchObject({ total: 2500, starting_balance: -500, amount_paid: 2000, status: 'paid' })
})

test('a note that refunds, settles outside and credits at once', async () => {
  const { invoice } = await paidInvoice()
  const note = await world.stripe.creditNotes.create({
    invoice: invoice.id,
    amount: 1000,
    refund_amount: 600,
    credit_amount: 300,
    out_of_band_amount: 100,
    expand: ['refunds.refund'],
  })
  expect(note).toMatchObject({ post_payment_amount: 1000, out_of_band_amount: 100 })
  expect(note.refunds[0]).toMatchObject({
    amount_refunded: 600,
    refund: { amount: 600, status: 'succeeded' },
  })
})

test('the parts must make up what was paid', async () => {
  const { invoice } = await paidInvoice()
  const create = world.stripe.creditNotes.create({ invoice: invoice.id, amount: 1000, refund_amount: 600 })
  expect(await refusal(create)).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
  expect((await world.stripe.creditNotes.list({ invoice: invoice.id })).data).toEqual([])
})

test('notes and refunds together never exceed the invoice', async () => {
  const { stripe } = world
  const { invoice } = await paidInvoice()
  const payments = await stripe.invoicePayments.list({ invoice: invoice.id })
  const intent = payments.data[0]?.payment.payment_intent as string
  const refund = await stripe.refunds.create({ payment_intent: intent, amount: 1000 })
  await refusal(stripe.creditNotes.create({ invoice: invoice.id, amount: 1501, credit_amount: 1501 }))
  // The refund may be linked: then it is the note's own.
  const note = await stripe.creditNotes.create({
    invoice: invoice.id,
    amount: 1000,
    refunds: [{ refund: refund.id }],
  })
  expect(note.refunds).toMatchObject([{ refund: refund.id, amount_refunded: 1000, type: 'refund' }])
  await stripe.creditNotes.create({ invoice: invoice.id, amount: 1500, credit_amount: 1500 })
  await refusal(stripe.creditNotes.create({ invoice: invoice.id, amount: 1, credit_amount: 1 }))
})

test('a note on an open invoice lowers what is due, and voiding it raises it again', async () => {
  const { stripe } = world
  const { invoice } = await openInvoice(5000)
  const note = await stripe.creditNotes.create({ invoice: invoice.id, amount: 2000 })
  expect(note).toMatchObject({ type: 'pre_payment', pre_payment_amount: 2000, post_payment_amount: 0 })
  expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({
    status: 'open',
    total: 5000,
    amount_due: 3000,
    amount_remaining: 3000,
    pre_payment_credit_notes_amount: 2000,
  })
  const types = await world.typesDuring(async () => {
    expect(await stripe.creditNotes.voidCreditNote(note.id)).toMatchObject({ status: 'void' })
  })
  expect(types.sort()).toEqual(['credit_note.voided', 'invoice.updated'])
  expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({
    amount_due: 5000,
    amount_remaining: 5000,
    pre_payment_credit_notes_amount: 0,
  })
  await refusal(stripe.creditNotes.voidCreditNote(note.id))
})

test('what is left after a note is what is charged', async () => {
  const { stripe } = world
  const { invoice } = await openInvoice(5000)
  await stripe.creditNotes.create({ invoice: invoice.id, amount: 2000 })
  const paid = await stripe.invoices.pay(invoice.id, { expand: ['payments.data.payment.payment_intent'] })
  expect(paid).toMatchObject({ status: 'paid', amount_paid: 3000, amount_remaining: 0 })
  expect(paid.payments?.data[0]?.payment.payment_intent).toMatchObject({
    amount: 3000,
    amount_received: 3000,
  })
})

test('an open invoice that is credited whole is paid', async () => {
  const { stripe } = world
  const { invoice } = await openInvoice(5000)
  await stripe.creditNotes.create({ invoice: invoice.id, amount: 5000 })
  const after = await stripe.invoices.retrieve(invoice.id, { expand: ['payments'] })
  expect(after).toMatchObject({ status: 'paid', amount_paid: 0, amount_due: 0, amount_remaining: 0 })
  expect(after.payments?.data).toMatchObject([{ status: 'canceled' }])
})

test('lines by quantity and by amount: 3 of 8 seats at 1000, and a custom line', async () => {
  const { stripe } = world
  const { invoice } = await paidInvoice(1000, 8)
  const line = invoice.lines.data[0]?.id as string
  const params: Stripe.CreditNotePreviewParams = {
    invoice: invoice.id,
    lines: [
      { type: 'invoice_line_item', invoice_line_item: line, quantity: 3 },
      { type: 'custom_line_item', description: 'Goodwill', unit_amount: 250, quantity: 2 },
    ],
    credit_amount: 3500,
  }
  const preview = await stripe.creditNotes.preview(params)
  expect(preview.lines.data.map((row) => row.amount)).toEqual([3000, 500])
  expect((await stripe.creditNotes.listPreviewLineItems(params)).data).toHaveLength(2)
  expect((await stripe.creditNotes.list({ invoice: invoice.id })).data).toEqual([])
  const note = await stripe.creditNotes.create(params)
  expect(note).toMatchObject({ total: 3500, amount: 3500 })
  const [seats, custom] = (await stripe.creditNotes.listLineItems(note.id)).data
  expect(seats).toMatchObject({
    invoice_line_item: line,
    quantity: 3,
    unit_amount: 1000,
    type: 'invoice_line_item',
  })
  expect(custom).toMatchObject({ description: 'Goodwill', unit_amount: 250, type: 'custom_line_item' })
  const memo = await stripe.creditNotes.update(note.id, { memo: 'Sorry' })
  expect(memo.memo).toBe('Sorry')
})

test('a credited line takes its share of the discount: 20 % off 8 at 1000, 2 credited', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const coupon = await stripe.coupons.create({ percent_off: 20, duration: 'forever' })
  const { latest_invoice: id } = await stripe.subscriptions.create({
    customer: ada.id,
    items: [{ price: (await world.price(1000)).id, quantity: 8 }],
    discounts: [{ coupon: coupon.id }],
  })
  const invoice = await stripe.invoices.retrieve(id as string)
  const note = await stripe.creditNotes.create({
    invoice: invoice.id,
    lines: [
      { type: 'invoice_line_item', invoice_line_item: invoice.lines.data[0]?.id as string, quantity: 2 },
    ],
    refund_amount: 1600,
  })
  expect(note).toMatchObject({ subtotal: 2000, discount_amount: 400, total: 1600 })
})

// docs.stripe.com/api/credit_notes/create#create_credit_note-lines-tax_rates: "only valid when the `type` is `custom_line_item`".
test.each([
  [false, { subtotal: 1000, subtotal_excluding_tax: 1000, total: 1200, total_excluding_tax: 1000 }, 200],
  [true, { subtotal: 1000, subtotal_excluding_tax: 833, total: 1000, total_excluding_tax: 833 }, 167],
] as const)(
  'a custom line is taxed by its rates and has labels: 10.00 at 20 %, inclusive %s',
  async (inclusive, sums, tax) => {
    const { stripe } = world
    const { invoice } = await paidInvoice()
    const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 20, inclusive })
    const line = { type: 'custom_line_item', description: 'Goodwill', unit_amount: 500, quantity: 2 } as const
    const note = await stripe.creditNotes.create({
      ...{ invoice: invoice.id, credit_amount: sums.total },
      lines: [{ ...line, tax_rates: [rate.id], metadata: { why: 'late' } }],
    })
    expect(note).toMatchObject({ ...sums, amount: sums.total, total_taxes: [{ amount: tax }] })
    expect(note.lines.data).toMatchObject([
      {
        ...{ amount: 1000, metadata: { why: 'late' }, tax_rates: [{ id: rate.id }] },
        taxes: [
          { amount: tax, taxable_amount: sums.total_excluding_tax, tax_rate_details: { tax_rate: rate.id } },
        ],
      },
    ])
    const own = [
      { type: 'invoice_line_item' as const, invoice_line_item: invoice.lines.data[0]?.id as string },
    ]
    const refused = stripe.creditNotes.create({
      ...{ invoice: invoice.id, credit_amount: 100 },
      lines: own.map((one) => ({ ...one, amount: 100, tax_rates: [rate.id] })),
    })
    expect(await refusal(refused)).toMatchObject({ param: 'lines[0][tax_rates]' })
  },
)

test('drafts and voided invoices have no credit notes', async () => {
  const ada = await world.customer()
  const draft = await world.stripe.invoices.create({ customer: ada.id })
  expect(await refusal(world.stripe.creditNotes.create({ invoice: draft.id, amount: 1 }))).toMatchObject({
    statusCode: 400,
    param: 'invoice',
  })
})

test('an entry of the balance keeps its amount; what it is called may change', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const entry = await stripe.customers.createBalanceTransaction(ada.id, { amount: -700, currency: 'usd' })
  const named = await stripe.customers.updateBalanceTransaction(ada.id, entry.id, {
    description: 'Welcome',
    metadata: { why: 'launch' },
  })
  expect(named).toMatchObject({ amount: -700, description: 'Welcome', metadata: { why: 'launch' } })
  expect(await stripe.customers.retrieveBalanceTransaction(ada.id, entry.id)).toEqual(named)
  const ben = await world.customer()
  const foreign = await refusal(stripe.customers.retrieveBalanceTransaction(ben.id, entry.id))
  expect(foreign).toMatchObject({ statusCode: 404, code: 'resource_missing' })
})

/** A paid invoice and a refund of its payment, made apart from any note. */
async function refunded(amount: number) {
  const { invoice } = await paidInvoice()
  const { data } = await world.stripe.invoicePayments.list({ invoice: invoice.id })
  const payment_intent = data[0]?.payment.payment_intent as string
  return { invoice: invoice.id, refund: (await world.stripe.refunds.create({ payment_intent, amount })).id }
}

// docs.stripe.com/api/credit_notes/create#create_credit_note-refunds
test('refunds that were made before belong to the invoice, and to one note each part of them', async () => {
  const { stripe } = world
  const { invoice, refund } = await refunded(300)
  const other = await refunded(300)
  const param = 'refunds[0][refund]'
  const of = (refunds: Stripe.CreditNoteCreateParams.Refund[], amount: number) =>
    stripe.creditNotes.create({ invoice, amount, refunds })
  expect(await refusal(of([{ refund: other.refund }], 300))).toMatchObject({ statusCode: 400, param })
  expect(await refusal(of([{ refund, amount_refunded: 400 }], 400))).toMatchObject({ param })
  const note = await of([{ refund, amount_refunded: 200 }], 200)
  expect(note.refunds).toMatchObject([{ refund, amount_refunded: 200 }])
  expect(await refusal(of([{ refund, amount_refunded: 200 }], 200))).toMatchObject({ param })
  expect((await of([{ refund, amount_refunded: 100 }], 100)).total).toBe(100)
})

test('several notes credit a line up to its amount', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const draft = await stripe.invoices.create({ customer })
  const { lines } = await stripe.invoices.addLines(draft.id, { lines: [{ amount: 1000 }, { amount: 500 }] })
  await stripe.invoices.finalizeInvoice(draft.id)
  const line = lines.data.find(({ amount }) => amount === 500)?.id as string
  const credit = (amount: number) =>
    stripe.creditNotes.create({
      invoice: draft.id,
      lines: [{ type: 'invoice_line_item', invoice_line_item: line, amount }],
    })
  const first = await credit(400)
  expect(await refusal(credit(200))).toMatchObject({ param: 'lines[0][amount]' })
  expect((await credit(100)).total).toBe(100)
  await stripe.creditNotes.voidCreditNote(first.id)
  expect((await credit(400)).total).toBe(400)
})

// https://docs.stripe.com/api/credit_notes/create#create_credit_note-lines: "only valid when `type` is …", "only one of
// `unit_amount` and `unit_amount_decimal` can be set".
test.each([
  ['amount', { type: 'custom_line_item', description: 'x', unit_amount: 5, amount: 5 }],
  [
    'invoice_line_item',
    { type: 'custom_line_item', description: 'x', unit_amount: 5, invoice_line_item: 'own' },
  ],
  ['unit_amount', { type: 'custom_line_item', description: 'x', unit_amount: 5, unit_amount_decimal: '5.5' }],
  ['description', { type: 'invoice_line_item', amount: 5, description: 'x' }],
  ['unit_amount', { type: 'invoice_line_item', amount: 5, unit_amount: 5 }],
  ['unit_amount_decimal', { type: 'invoice_line_item', amount: 5, unit_amount_decimal: '5' }],
] as const)('a line with a %s of the other kind is refused: %j', async (field, given) => {
  const { invoice } = await paidInvoice()
  const own = invoice.lines.data[0]?.id as string
  const line = {
    ...given,
    ...(given.type === 'invoice_line_item' || 'invoice_line_item' in given ? { invoice_line_item: own } : {}),
  }
  const asked = { invoice: invoice.id, lines: [line], credit_amount: 5 } as Stripe.CreditNoteCreateParams
  expect(await refusal(world.stripe.creditNotes.create(asked))).toMatchObject({
    ...{ statusCode: 400, param: `lines[0][${field}]` },
  })
})

test('a note is in effect when it was made, unless it says when', async () => {
  const { stripe } = world
  const { invoice } = await paidInvoice()
  const asked = { invoice: invoice.id, amount: 100, credit_amount: 100 }
  const note = await stripe.creditNotes.create({ ...asked, reason: 'order_change', email_type: 'none' })
  expect(note).toMatchObject({
    effective_at: note.created,
    reason: 'order_change',
    memo: null,
    type: 'post_payment',
  })
  expect((await stripe.creditNotes.create({ ...asked, effective_at: JAN_1 - DAY })).effective_at).toBe(
    JAN_1 - DAY,
  )
})

// "`custom_line_item` is not valid when the invoice is set up with `automatic_tax[enabled]=true`."
test('an invoice that is taxed by itself has no custom line credited', async () => {
  const { stripe } = world
  const ada = await world.customer()
  await stripe.customers.update(ada.id, { address: { country: 'DE' } })
  const draft = await stripe.invoices.create({
    ...{ customer: ada.id, collection_method: 'send_invoice', days_until_due: 30 },
    automatic_tax: { enabled: true },
  })
  await stripe.invoiceItems.create({ customer: ada.id, invoice: draft.id, amount: 1000, currency: 'usd' })
  const { id: invoice, lines } = await stripe.invoices.finalizeInvoice(draft.id)
  const custom = { type: 'custom_line_item', description: 'x', unit_amount: 5, quantity: 1 } as const
  expect(await refusal(stripe.creditNotes.create({ invoice, lines: [custom] }))).toMatchObject({
    ...{ statusCode: 400, param: 'lines[0][type]' },
  })
  const line = {
    type: 'invoice_line_item',
    invoice_line_item: lines.data[0]?.id as string,
    amount: 100,
  } as const
  // "If invoice is set up with automatic_tax[enabled]=true, this amount is tax exclusive": 1.00 and 19 % of it.
  expect((await stripe.creditNotes.create({ invoice, lines: [line] })).total).toBe(119)
})
