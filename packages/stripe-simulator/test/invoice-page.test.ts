// docs.stripe.com/invoicing/hosted-invoice-page
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'

const world = await sharedWorld()

async function sent() {
  const { stripe } = world
  const { id: customer } = await world.customer({ card: null })
  const { id } = await stripe.invoices.create({
    customer,
    currency: 'jpy',
    collection_method: 'send_invoice',
    days_until_due: 30,
  })
  await stripe.invoices.addLines(id, { lines: [{ amount: 1200, description: 'Tea & <cake>' }] })
  const invoice = await stripe.invoices.sendInvoice(id)
  return { id, url: invoice.hosted_invoice_url as string, pdf: invoice.invoice_pdf as string }
}

const pay = (url: string, card: string) =>
  fetch(`${url}/pay`, { method: 'POST', body: new URLSearchParams({ card }), redirect: 'manual' })

test('an invoice is read and paid on its page', async () => {
  const { id, url, pdf } = await sent()
  const page = await (await fetch(url)).text()
  expect(page).toContain('Tea &#38; &#60;cake&#62;: ¥1,200')
  expect(page).toContain('<button>Pay</button>')
  const declined = await pay(url, 'pm_card_chargeDeclined')
  expect(declined.status).toBe(402)
  expect(await declined.text()).toContain('Your card was declined.')
  expect((await pay(url, 'pm_card_visa')).status).toBe(303)
  expect((await world.stripe.invoices.retrieve(id)).status).toBe('paid')
  expect(await (await fetch(url)).text()).not.toContain('<button>')
  expect((await pay(url, 'pm_card_visa')).status).toBe(400)
  const paper = Buffer.from(await (await fetch(pdf)).arrayBuffer()).toString('latin1')
  expect(paper.startsWith('%PDF-1.4')).toBe(true)
  // The table of a PDF is where its last lines say.
  const table = Number(/startxref\n(\d+)\n/.exec(paper)?.[1])
  expect(paper.slice(table, table + 4)).toBe('xref')
})

test('the bank asks in between, and its page comes back', async () => {
  const { id, url } = await sent()
  const asked = await pay(url, 'pm_card_threeDSecure2Required')
  const challenge = new URL(asked.headers.get('location') as string, url)
  expect(await (await fetch(challenge)).text()).toContain('Do you pay ¥1,200?')
  const body = new URLSearchParams({ outcome: 'succeed' })
  const back = await fetch(`${challenge}/challenge`, { method: 'POST', body, redirect: 'manual' })
  expect(back.headers.get('location')).toContain(url)
  expect((await world.stripe.invoices.retrieve(id)).status).toBe('paid')
})
