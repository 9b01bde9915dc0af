import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { refusal } from './world.ts'

const world = await sharedWorld()

const newCustomer = () => world.stripe.customers.create({ name: 'Ada' })

// https://docs.stripe.com/api/tax_ids/object and, for the numbers, https://docs.stripe.com/billing/customer/tax-ids
test.each([
  ['eu_vat', 'DE000000000', 'DE', 'pending', 'verified'],
  ['eu_vat', 'DE111111111', 'DE', 'pending', 'unverified'],
  ['eu_vat', 'EL222222222', 'GR', 'pending', 'pending'],
  ['gb_vat', 'GB000000000', 'GB', 'pending', 'verified'],
  ['us_ein', '12-3456789', 'US', 'unavailable', 'unavailable'],
] as const)('%s %s is of %s, first %s, then %s', async (type, value, country, first, then) => {
  const { id } = await newCustomer()
  const types = await world.typesDuring(async () => {
    const taxId = await world.stripe.customers.createTaxId(id, { type, value })
    expect(taxId).toMatchObject({
      object: 'tax_id',
      country,
      customer: id,
      customer_account: null,
      livemode: false,
      owner: { customer: id, type: 'customer' },
      type,
      value,
      verification: { status: first, verified_address: null, verified_name: null },
    })
    expect((await world.stripe.customers.retrieveTaxId(id, taxId.id)).verification?.status).toBe(then)
  })
  const updated = first === then ? [] : ['customer.tax_id.updated']
  expect(types).toEqual(['customer.tax_id.created', ...updated])
})

test('the ids of a customer are listed, expanded and deleted', async () => {
  const ada = await world.stripe.customers.create({
    name: 'Ada',
    tax_id_data: [{ type: 'us_ein', value: '12-3456789' }],
  })
  const vat = await world.stripe.customers.createTaxId(ada.id, { type: 'eu_vat', value: 'ATU12345678' })
  const list = await world.stripe.customers.listTaxIds(ada.id)
  expect(list.data.map((row) => row.type)).toEqual(['eu_vat', 'us_ein'])
  const whole = await world.stripe.customers.retrieve(ada.id, { expand: ['tax_ids'] })
  expect(whole).toMatchObject({ tax_ids: { object: 'list', data: [{ id: vat.id }, { type: 'us_ein' }] } })
  const types = await world.typesDuring(() => world.stripe.customers.deleteTaxId(ada.id, vat.id))
  expect(types).toEqual(['customer.tax_id.deleted'])
  expect(await refusal(world.stripe.customers.retrieveTaxId(ada.id, vat.id))).toMatchObject({
    statusCode: 404,
  })
})

test('the account has ids of its own, apart from those of customers', async () => {
  const own = await world.stripe.taxIds.create({ type: 'eu_vat', value: 'IE1234567AB' })
  expect(own).toMatchObject({ customer: null, owner: { type: 'self' } })
  const ada = await newCustomer()
  const owner = { type: 'customer', customer: ada.id } as const
  const hers = await world.stripe.taxIds.create({ type: 'eu_vat', value: 'DE123456789', owner })
  expect((await world.stripe.taxIds.list()).data.map((row) => row.id)).toEqual([own.id])
  expect((await world.stripe.taxIds.list({ owner })).data.map((row) => row.id)).toEqual([hers.id])
  expect(await world.stripe.taxIds.retrieve(hers.id, { expand: ['customer'] })).toMatchObject({
    customer: { id: ada.id },
  })
  expect(await world.stripe.taxIds.del(own.id)).toEqual({ id: own.id, object: 'tax_id', deleted: true })
})

// "Until the invoice is finalized, this field will contain the same tax IDs as `customer.tax_ids`" docs: api/invoices/object
test('an invoice keeps the ids that its customer had when it was finalized', async () => {
  const { id } = await newCustomer()
  await world.stripe.customers.createTaxId(id, { type: 'eu_vat', value: 'DE123456789' })
  await world.stripe.invoiceItems.create({ customer: id, amount: 1000, currency: 'usd' })
  const draft = await world.stripe.invoices.create({
    customer: id,
    pending_invoice_items_behavior: 'include',
    collection_method: 'send_invoice',
    days_until_due: 30,
  })
  expect(draft.customer_tax_ids).toEqual([{ type: 'eu_vat', value: 'DE123456789' }])
  const ein = await world.stripe.customers.createTaxId(id, { type: 'us_ein', value: '12-3456789' })
  await world.stripe.customers.update(id, { name: 'Grace' })
  await world.stripe.invoices.finalizeInvoice(draft.id)
  await world.stripe.customers.deleteTaxId(id, ein.id)
  await world.stripe.customers.update(id, { name: 'Joan' })
  expect(await world.stripe.invoices.retrieve(draft.id)).toMatchObject({
    customer_name: 'Grace',
    customer_tax_ids: [
      { type: 'eu_vat', value: 'DE123456789' },
      { type: 'us_ein', value: '12-3456789' },
    ],
  })
})

// https://docs.stripe.com/api/customers/object#customer_object-invoice_settings
test('a customer says how invoices are drawn, and drafts follow', async () => {
  const { id } = await newCustomer()
  const drawn = await world.stripe.customers.update(id, {
    invoice_settings: {
      rendering_options: { amount_tax_display: 'include_inclusive_tax' },
      custom_fields: [{ name: 'Order', value: '42' }],
      footer: 'Thank you',
    },
  })
  expect(drawn.invoice_settings.rendering_options).toEqual({
    amount_tax_display: 'include_inclusive_tax',
    template: null,
  })
  const draft = await world.stripe.invoices.create({ customer: id })
  expect(draft).toMatchObject({
    custom_fields: [{ name: 'Order', value: '42' }],
    footer: 'Thank you',
    rendering: { amount_tax_display: 'include_inclusive_tax', pdf: { page_size: 'auto' }, template: null },
  })
  const plain = await world.stripe.customers.update(id, { invoice_settings: { rendering_options: '' } })
  expect(plain.invoice_settings.rendering_options).toBeNull()
})

// https://docs.stripe.com/billing/customer/tax-ids#supported-tax-id: the example of each country.
test.each(
  'ATU12345678 BE0123456789 BG0123456789 CY12345678Z CZ1234567890 DE123456789 DK12345678 EE123456789 EL123456789 ESA1234567Z FI12345678 FRAB123456789 HR12345678912 HU12345678 IE1234567AB IT12345678912 LT123456789123 LU12345678 LV12345678912 MT12345678 NL123456789B12 PL1234567890 PT123456789 RO1234567891 SE123456789123 SI12345678 SK1234567891 XI123456789'.split(
    ' ',
  ),
)('%s is a European number', async (value) => {
  const { id } = await newCustomer()
  const taxId = await world.stripe.customers.createTaxId(id, { type: 'eu_vat', value })
  expect(taxId).toMatchObject({ value, country: value.startsWith('EL') ? 'GR' : value.slice(0, 2) })
})

test.each(['DE123', 'NOTAVATID', 'US123456789', 'DE12345678X', 'ATU1234567'])('%s is none', async (value) => {
  const { id } = await newCustomer()
  const wrong = await refusal(world.stripe.customers.createTaxId(id, { type: 'eu_vat', value }))
  expect(wrong).toMatchObject({ statusCode: 400, code: 'tax_id_invalid' })
  expect(wrong.message).toBe('Invalid value for eu_vat.')
})

test('an id of the wrong form is refused', async () => {
  const { id } = await newCustomer()
  const wrong = await refusal(world.stripe.customers.createTaxId(id, { type: 'eu_vat', value: '12' }))
  expect(wrong).toMatchObject({ statusCode: 400, code: 'tax_id_invalid', param: 'value' })
})
