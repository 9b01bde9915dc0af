// docs.stripe.com/invoicing/invoice-edits and docs.stripe.com/invoicing/customize
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, newWorld, refusal } from './world.ts'

const world = await sharedWorld()

async function openInvoice() {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const { id } = await stripe.invoices.create({ customer, currency: 'usd', description: 'As ordered' })
  await stripe.invoices.addLines(id, { lines: [{ amount: 1000 }, { amount: 500 }] })
  return stripe.invoices.finalizeInvoice(id)
}

const revise = (invoice: string) =>
  world.stripe.invoices.create({ from_invoice: { action: 'revision', invoice } })

test('a revision starts as the original, and takes its place when it is finalized', async () => {
  const { stripe } = world
  const original = await openInvoice()
  const draft = await revise(original.id)
  expect(draft).toMatchObject({
    status: 'draft',
    description: 'As ordered',
    total: 1500,
    from_invoice: { action: 'revision', invoice: original.id },
  })
  expect((await stripe.invoices.retrieve(original.id)).status).toBe('open')
  await stripe.invoices.updateLines(draft.id, {
    lines: [{ id: draft.lines.data[0]?.id as string, amount: 900 }],
  })
  const types = await world.typesDuring(() => stripe.invoices.finalizeInvoice(draft.id))
  expect(types).toEqual([
    'payment_intent.canceled',
    'invoice.updated',
    'invoice.voided',
    'invoice.updated',
    'payment_intent.created',
    'invoice.finalized',
  ])
  expect(await stripe.invoices.retrieve(original.id)).toMatchObject({
    status: 'void',
    latest_revision: draft.id,
  })
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'open', total: 1400 })
})

test('paid invoices and those of subscriptions are not revised', async () => {
  const { stripe } = world
  const original = await openInvoice()
  const draft = await revise(original.id)
  await stripe.invoices.pay(original.id)
  expect(await refusal(revise(original.id))).toMatchObject({
    statusCode: 400,
    param: 'from_invoice[invoice]',
  })
  expect((await refusal(stripe.invoices.finalizeInvoice(draft.id))).message).toContain('is paid')
  const ada = await world.customer({ card: 'pm_card_chargeCustomerFail' })
  const price = (await world.price(1000)).id
  const subscription = await stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  expect(await refusal(revise(subscription.latest_invoice as string))).toMatchObject({ statusCode: 400 })
})

test('numbers are the customer’s sequence, or given by hand and unique', async () => {
  const { stripe } = world
  const { id: customer } = await world.customer()
  const prefix = ((await stripe.customers.retrieve(customer)) as { invoice_prefix: string }).invoice_prefix
  const finalized = async (number?: string) => {
    const { id } = await stripe.invoices.create({ customer, ...(number === undefined ? {} : { number }) })
    return (await stripe.invoices.finalizeInvoice(id)).number
  }
  const own = `ORDER-${prefix}`
  expect([await finalized(), await finalized(own), await finalized()]).toEqual([
    `${prefix}-0001`,
    own,
    `${prefix}-0002`,
  ])
  expect(await refusal(stripe.invoices.create({ customer, number: own }))).toMatchObject({ param: 'number' })
})

test('numbers of an account run through all its customers', async () => {
  const account = await newWorld({ settings: { invoiceNumbering: 'account' } })
  const numbers: (string | null)[] = []
  for (let i = 0; i < 3; i++) {
    const { id: customer } = await account.customer()
    const { id } = await account.stripe.invoices.create({ customer })
    numbers.push((await account.stripe.invoices.finalizeInvoice(id)).number)
  }
  expect(numbers).toEqual(['SIMULATOR-0001', 'SIMULATOR-0002', 'SIMULATOR-0003'])
  await account.close()
})

test('what the customer’s invoices always say is on each of them', async () => {
  const { stripe } = world
  const custom_fields = [{ name: 'PO', value: '4711' }]
  const { id: customer } = await stripe.customers.create({
    invoice_settings: { footer: 'Thank you.', custom_fields },
  })
  const invoice = await stripe.invoices.create({ customer, issuer: { type: 'self' } })
  expect(invoice).toMatchObject({ footer: 'Thank you.', custom_fields })
  expect(await stripe.invoices.update(invoice.id, { footer: '' })).toMatchObject({ footer: null })
})

test('a draft is finalized by itself at the given time, at most five years ahead', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const { frozen_time: now } = await stripe.testHelpers.testClocks.retrieve(ada.clock)
  const far = { customer: ada.id, automatically_finalizes_at: now + 5 * 365 * DAY + 1 }
  expect(await refusal(stripe.invoices.create(far))).toMatchObject({ param: 'automatically_finalizes_at' })
  const at = now + 5 * DAY
  const { id } = await stripe.invoices.create({ customer: ada.id, automatically_finalizes_at: at })
  await world.advance(ada.clock, at - 1)
  expect(await stripe.invoices.retrieve(id)).toMatchObject({
    status: 'draft',
    automatically_finalizes_at: at,
  })
  await world.advance(ada.clock, at)
  expect((await stripe.invoices.retrieve(id)).status).toBe('paid')
})
