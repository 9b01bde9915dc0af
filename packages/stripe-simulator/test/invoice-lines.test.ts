// docs.stripe.com/invoicing/bulk-update-line-item and docs.stripe.com/api/invoice-line-item
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { amounts, refusal } from './world.ts'

const world = await sharedWorld()

test('lines are added to a draft, changed and removed, several in one call', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const price = (await world.price(250, { recurring: undefined as never })).id
  const pending = await stripe.invoiceItems.create({ customer, amount: 700, currency: 'usd' })
  const { id } = await stripe.invoices.create({ customer, currency: 'usd' })
  const added = await stripe.invoices.addLines(id, {
    lines: [
      { amount: 1000, description: 'Set-up' },
      { pricing: { price }, quantity: 4 },
      { invoice_item: pending.id },
    ],
    invoice_metadata: { order: '7' },
  })
  // 10.00 + 4 × 2.50 + 7.00
  expect(amounts(added)).toEqual([1000, 1000, 700])
  expect(added).toMatchObject({ subtotal: 2700, total: 2700, metadata: { order: '7' } })
  expect((await stripe.invoiceItems.retrieve(pending.id)).invoice).toBe(id)
  const [setup, seats, seven] = added.lines.data.map((line) => line.id) as [string, string, string]
  const changed = await stripe.invoices.updateLines(id, {
    lines: [
      { id: setup, amount: 1200 },
      { id: seats, quantity: 5 },
    ],
  })
  expect(amounts(changed)).toEqual([1200, 1250, 700])
  const single = await stripe.invoices.updateLineItem(id, setup, { description: 'Set-up, on site' })
  expect(single).toMatchObject({ id: setup, amount: 1200, description: 'Set-up, on site' })
  // An item whose line changed has changed with it.
  const item = (await stripe.invoices.retrieve(id)).lines.data[0]?.parent?.invoice_item_details?.invoice_item
  expect(await stripe.invoiceItems.retrieve(item as string)).toMatchObject({ amount: 1200 })
  const removed = await stripe.invoices.removeLines(id, {
    lines: [
      { id: seats, behavior: 'delete' },
      { id: seven, behavior: 'unassign' },
    ],
  })
  expect(amounts(removed)).toEqual([1200])
  expect((await stripe.invoiceItems.retrieve(pending.id)).invoice).toBeNull()
})

test('what lines refuse names the line', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const { id } = await stripe.invoices.create({ customer, currency: 'usd' })
  const foreign = await stripe.invoiceItems.create({ customer, amount: 700, currency: 'eur' })
  expect(
    await refusal(stripe.invoices.addLines(id, { lines: [{ amount: 100 }, { invoice_item: foreign.id }] })),
  ).toMatchObject({ statusCode: 400, param: 'lines[1][invoice_item]' })
  // Whole or not at all.
  expect((await stripe.invoices.retrieve(id)).lines.data).toEqual([])
  expect(
    await refusal(stripe.invoices.updateLines(id, { lines: [{ id: 'il_nothing', amount: 1 }] })),
  ).toMatchObject({ code: 'resource_missing', param: 'lines[0][id]' })
  await stripe.invoices.finalizeInvoice(id)
  expect(await refusal(stripe.invoices.addLines(id, { lines: [{ amount: 100 }] }))).toMatchObject({
    statusCode: 400,
    code: 'invoice_not_editable',
  })
})

test('the lines of a subscription keep their amount, and take a description', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const price = (await world.price(1000)).id
  const { id } = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  await world.advance(
    ada.clock,
    (await stripe.subscriptions.retrieve(id)).items.data[0]?.current_period_end ?? 0,
  )
  const [draft] = (await stripe.invoices.list({ subscription: id, status: 'draft' })).data
  const line = draft?.lines.data[0]?.id as string
  const invoice = draft?.id as string
  const described = await stripe.invoices.updateLineItem(invoice, line, { description: 'Team, February' })
  expect(described).toMatchObject({ amount: 1000, description: 'Team, February' })
  expect(await refusal(stripe.invoices.updateLineItem(invoice, line, { amount: 900 }))).toMatchObject({
    param: 'amount',
  })
  const lines = [{ id: line, behavior: 'delete' as const }]
  expect(await refusal(stripe.invoices.removeLines(invoice, { lines }))).toMatchObject({ statusCode: 400 })
})

// docs.stripe.com/api/invoices/add_lines#invoice_add_lines-lines-price_data-product_data
test('a line brings the product of its price along, new and when it changes', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const { id } = await stripe.invoices.create({ customer })
  const data = { currency: 'usd', unit_amount: 700 }
  const product_data = { name: 'Onboarding', description: 'By hand', metadata: { a: '1' } }
  const made = await stripe.invoices.addLines(id, {
    lines: [{ price_data: { ...data, product_data }, quantity: 2 }],
  })
  const [line] = made.lines.data
  expect(line).toMatchObject({ amount: 1400, description: 'Onboarding' })
  const product = line?.pricing?.price_details?.product as string
  expect(await stripe.products.retrieve(product)).toMatchObject(product_data)
  const changed = await stripe.invoices.updateLineItem(id, line?.id as string, {
    price_data: { currency: 'usd', unit_amount: 900, product_data: { name: 'Training' } },
  })
  expect(changed.amount).toBe(900)
  const renamed = changed.pricing?.price_details?.product as string
  expect((await stripe.products.retrieve(renamed)).name).toBe('Training')
  for (const price_data of [data, { ...data, product, product_data }]) {
    expect(await refusal(stripe.invoices.addLines(id, { lines: [{ price_data }] }))).toMatchObject({
      param: 'lines[0][price_data][product]',
    })
  }
})

test('a pending item that is put onto a draft can be changed on the way', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const item = await stripe.invoiceItems.create({ customer, currency: 'usd', amount: 500 })
  const { id } = await stripe.invoices.create({ customer, currency: 'usd' })
  const made = await stripe.invoices.addLines(id, {
    lines: [{ invoice_item: item.id, description: 'Renamed', amount: 700 }],
  })
  expect(made).toMatchObject({ total: 700, lines: { data: [{ amount: 700, description: 'Renamed' }] } })
  expect(await stripe.invoiceItems.retrieve(item.id)).toMatchObject({ amount: 700, description: 'Renamed' })
})
