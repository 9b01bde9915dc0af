// What becomes of invoice items when their draft is deleted, as recorded: github.com/Kiln-AI/stripe_world, cassette 13
// (2026-08-26.dahlia), steps 19 to 24, 65 to 67.
import { afterAll, expect, test } from 'vitest'
import { newWorld, refusal } from './world.ts'

const world = await newWorld()
const { stripe } = world
afterAll(world.close)

test.each(['pending before', 'made on it'])('an item goes with its draft: %s', async (from) => {
  const { id: customer } = await stripe.customers.create({})
  const of = { customer, amount: 800, currency: 'usd', description: 'Late fee' }
  const pulled = from === 'made on it' ? undefined : await stripe.invoiceItems.create(of)
  const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
  const { id } = pulled ?? (await stripe.invoiceItems.create({ ...of, invoice: draft.id }))
  const types = await world.typesDuring(() => stripe.invoices.del(draft.id))
  expect(types.sort()).toEqual(['invoice.deleted', 'invoiceitem.deleted'])
  expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([])
  expect((await stripe.invoiceItems.list({ customer })).data).toEqual([])
  expect((await stripe.invoiceItems.list({ limit: 100 })).data.map((item) => item.id)).not.toContain(id)
  expect(await refusal(stripe.invoiceItems.update(id, { description: 'gone' }))).toMatchObject({
    ...{ statusCode: 400, code: undefined, param: undefined },
    message: 'This invoice item has been deleted.',
  })
  expect(await refusal(stripe.invoiceItems.del(id))).toMatchObject({
    ...{ statusCode: 400, code: undefined, param: undefined },
    message: "Can't delete an invoice item that is attached to an invoice that is no longer editable",
  })
  const next = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
  expect(next.lines.data).toEqual([])
})

test('an item that was deleted itself is not there, in words of its own', async () => {
  const { id: customer } = await stripe.customers.create({})
  const { id } = await stripe.invoiceItems.create({ customer, amount: 400, currency: 'usd' })
  expect(await stripe.invoiceItems.del(id)).toEqual({
    ...{ id, object: 'invoiceitem', deleted: true },
    lastResponse: undefined,
  })
  for (const gone of [id, 'ii_nope']) {
    expect(await refusal(stripe.invoiceItems.retrieve(gone))).toMatchObject({
      ...{ statusCode: 404, code: 'resource_missing', param: 'id' },
      message: `No such Invoice Item: '${gone}'(livemode=false)`,
    })
  }
})

test('an item of a finalized invoice is not deleted', async () => {
  const { id: customer } = await stripe.customers.create({})
  const { id: invoice } = await stripe.invoices.create({ customer })
  const { id } = await stripe.invoiceItems.create({ customer, invoice, amount: 400, currency: 'usd' })
  await stripe.invoices.finalizeInvoice(invoice)
  expect(await refusal(stripe.invoiceItems.del(id))).toMatchObject({
    ...{ statusCode: 400, code: undefined, param: undefined },
    message: "Can't delete an invoice item that is attached to an invoice that is no longer editable",
  })
})
