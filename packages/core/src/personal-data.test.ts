import { expect, test } from 'vitest'
import { withoutPersonalData } from './personal-data.ts'

test('who it is goes, at every depth; what it was about stays', () => {
  const event = {
    id: 'evt_1',
    data: {
      object: {
        ...{ id: 'cus_1', name: 'Ada', email: 'ada@example.org', balance: 0, livemode: false },
        metadata: { lockstep_customer: 'customer_1', nickname: 'Countess' },
        cards: [{ brand: 'visa', last4: '4242', billing_details: { name: 'Ada' } }],
      },
      previous_attributes: { email: 'old@example.org', metadata: { nickname: 'Lady', lockstep_slot: 'a' } },
    },
  }
  expect(withoutPersonalData(event)).toEqual({
    id: 'evt_1',
    data: {
      object: {
        ...{ id: 'cus_1', name: null, email: null, balance: 0, livemode: false },
        metadata: { lockstep_customer: 'customer_1' },
        cards: [{ brand: 'visa', last4: null, billing_details: null }],
      },
      previous_attributes: { email: null, metadata: { lockstep_slot: 'a' } },
    },
  })
})

test('so do links to pages that show it, and what somebody wrote; what is no such link stays', () => {
  const item = { object: 'invoiceitem', id: 'ii_1', description: 'For Ada', metadata: {} }
  const ours = { ...item, id: 'ii_2', description: 'Storage', metadata: { lockstep_line: 'line_1' } }
  const event = {
    object: 'event',
    data: {
      object: item,
      previous_attributes: { description: 'For Ada Lovelace' },
    },
  }
  expect(withoutPersonalData([event, ours])).toEqual([
    {
      object: 'event',
      data: { object: { ...item, description: null }, previous_attributes: { description: null } },
    },
    ours,
  ])
  const customer = { object: 'customer', description: 'Countess', metadata: { lockstep_customer: 'c_1' } }
  expect(withoutPersonalData(customer)).toEqual({ ...customer, description: null })
  const invoice = {
    object: 'invoice',
    description: 'Subscription creation',
    hosted_invoice_url: 'https://invoice.stripe.com/i/acct_1/live_YWNj',
    invoice_pdf: 'https://pay.stripe.com/invoice/acct_1/live_YWNj/pdf',
    charge: { receipt_url: 'https://pay.stripe.com/receipts/payment/CAcaF' },
    lines: { object: 'list', url: '/v1/invoices/in_1/lines', data: [] },
  }
  expect(withoutPersonalData(invoice)).toEqual({
    ...invoice,
    hosted_invoice_url: null,
    invoice_pdf: null,
    charge: { receipt_url: null },
  })
})
