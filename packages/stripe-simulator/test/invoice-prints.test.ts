// docs.stripe.com/api/invoices/create and docs.stripe.com/billing/taxes/tax-ids#account-tax-ids: what an invoice prints.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { clientOf, type Loose } from './clients.ts'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1, refusal } from './world.ts'

const world = await sharedWorld()

test('how a draft is drawn is said in parts, and its paper is settled when it is finalized', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const made = await stripe.invoices.create({
    customer: ada.id,
    rendering: { amount_tax_display: 'exclude_tax' },
  })
  expect(made.rendering).toEqual({
    amount_tax_display: 'exclude_tax',
    pdf: { page_size: 'auto' },
    template: null,
    template_version: null,
  })
  const a4 = await stripe.invoices.update(made.id, { rendering: { pdf: { page_size: 'a4' } } })
  expect(a4.rendering).toMatchObject({ amount_tax_display: 'exclude_tax', pdf: { page_size: 'a4' } })
  const plain = await stripe.invoices.update(made.id, { rendering: { amount_tax_display: '' } })
  expect(plain.rendering).toMatchObject({ amount_tax_display: null, pdf: { page_size: 'a4' } })
  expect((await stripe.invoices.finalizeInvoice(made.id)).rendering?.pdf).toEqual({ page_size: 'a4' })
  const late = stripe.invoices.update(made.id, { rendering: { pdf: { page_size: 'letter' } } })
  expect(await refusal(late)).toMatchObject({ statusCode: 400 })
  const template = stripe.invoices.create({ customer: ada.id, rendering: { template: 'inrtem_1' } })
  expect(await refusal(template)).toMatchObject({ code: 'simulator_gap', param: 'rendering[template]' })
})

test('before 2024-04-10 it was said under another name, and emptied', async () => {
  const old: Loose = await clientOf(17, world.simulator.port, '2023-10-16')
  const ada = await world.customer()
  const made = await old.invoices.create({
    customer: ada.id,
    rendering_options: { amount_tax_display: 'include_inclusive_tax' },
  })
  expect(made.rendering_options).toEqual({ amount_tax_display: 'include_inclusive_tax' })
  expect((await old.invoices.update(made.id, { rendering_options: '' })).rendering_options).toBeNull()
})

test('where the goods go is kept with the invoice, and taken off', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const shipping_details = { name: 'Ada', phone: '+49 1', address: { city: 'Bonn', country: 'DE' } }
  const made = await stripe.invoices.create({ customer: ada.id, shipping_details })
  expect(made.shipping_details).toEqual({
    name: 'Ada',
    phone: '+49 1',
    address: { city: 'Bonn', country: 'DE', line1: null, line2: null, postal_code: null, state: null },
  })
  expect((await stripe.invoices.update(made.id, { shipping_details: '' })).shipping_details).toBeNull()
  const nameless = { address: { city: 'Bonn' } } as Stripe.InvoiceCreateParams.ShippingDetails
  expect(
    await refusal(stripe.invoices.create({ customer: ada.id, shipping_details: nameless })),
  ).toMatchObject({
    code: 'parameter_missing',
    param: 'shipping_details[name]',
  })
})

test('the tax ids of the account are printed by invoices, also by those of subscriptions and schedules', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const own = await stripe.taxIds.create({ type: 'eu_vat', value: 'DE123456789' })
  const made = await stripe.invoices.create({
    customer: ada.id,
    account_tax_ids: [own.id],
    expand: ['account_tax_ids'],
  })
  expect(made.account_tax_ids).toMatchObject([{ id: own.id, value: 'DE123456789' }])
  expect((await stripe.invoices.update(made.id, { account_tax_ids: '' })).account_tax_ids).toBeNull()

  const items = [{ price: (await world.price(1000)).id }]
  const invoice_settings = { account_tax_ids: [own.id] }
  const subscription = await stripe.subscriptions.create({
    customer: ada.id,
    items,
    invoice_settings,
    expand: ['latest_invoice', 'invoice_settings.account_tax_ids'],
  })
  expect(subscription.invoice_settings.account_tax_ids).toMatchObject([{ id: own.id, object: 'tax_id' }])
  expect(subscription.latest_invoice).toMatchObject({ account_tax_ids: [own.id] })

  const schedule = await stripe.subscriptionSchedules.create({
    customer: ada.id,
    start_date: 'now',
    default_settings: { invoice_settings },
    phases: [{ items, duration: { interval: 'month' } }],
  })
  expect(schedule.default_settings.invoice_settings).toMatchObject(invoice_settings)
  await world.advance(ada.clock, JAN_1 + 2 * HOUR)
  const [first] = await world.invoices(schedule.subscription as string)
  expect(first?.account_tax_ids).toEqual([own.id])

  const theirs = await stripe.customers.createTaxId(ada.id, { type: 'eu_vat', value: 'FR12345678901' })
  const other = stripe.invoices.create({ customer: ada.id, account_tax_ids: [theirs.id] })
  expect(await refusal(other)).toMatchObject({ code: 'resource_missing', param: 'account_tax_ids[0]' })
  await stripe.taxIds.del(own.id)
  const after = await stripe.subscriptions.retrieve(subscription.id, {
    expand: ['invoice_settings.account_tax_ids'],
  })
  expect(after.invoice_settings.account_tax_ids).toEqual([{ id: own.id, object: 'tax_id', deleted: true }])
})

test('a revision prints what the invoice did that it revises', async () => {
  const { stripe } = world
  const ada = await world.customer()
  const printed = {
    rendering: { pdf: { page_size: 'a4' as const } },
    shipping_details: { name: 'Ada', address: { city: 'Bonn' } },
  }
  const made = await stripe.invoices.create({ customer: ada.id, ...printed })
  await stripe.invoices.addLines(made.id, { lines: [{ amount: 500 }] })
  await stripe.invoices.finalizeInvoice(made.id)
  const revision = await stripe.invoices.create({ from_invoice: { action: 'revision', invoice: made.id } })
  expect(revision).toMatchObject(printed)
  await world.advance(ada.clock, JAN_1 + DAY)
})
