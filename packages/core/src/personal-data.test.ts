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
    description: 'For Ada',
    hosted_invoice_url: 'https://invoice.stripe.com/i/acct_1/live_YWNj',
    invoice_pdf: 'https://pay.stripe.com/invoice/acct_1/live_YWNj/pdf',
    charge: { receipt_url: 'https://pay.stripe.com/receipts/payment/CAcaF' },
    lines: { object: 'list', url: '/v1/invoices/in_1/lines', data: [] },
  }
  expect(withoutPersonalData(invoice)).toEqual({
    ...invoice,
    description: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    charge: { receipt_url: null },
  })
})

// Objects as https://docs.stripe.com/api has them, with every field that says who somebody is; each says it by one word.
const WHO = 'Lovelace'
const address = { line1: WHO, city: WHO, postal_code: WHO, country: 'GB' }
const owner = { account_holder_name: WHO, account_holder_address: address }
const verified = { verified_name: WHO, verified_email: WHO, verified_phone: WHO, verified_address: address }

const objects: Record<string, unknown>[] = [
  {
    ...{
      object: 'customer',
      id: 'cus_1',
      balance: -968,
      business_name: WHO,
      individual_name: WHO,
      description: WHO,
    },
    ...{ email: WHO, name: WHO, phone: WHO, address, shipping: { address, name: WHO, tracking_number: WHO } },
    ...{ tax: { ip_address: WHO, location: { country: 'GB' } }, metadata: { note: WHO } },
    invoice_settings: { custom_fields: [{ name: 'Attn', value: WHO }], footer: WHO },
    tax_ids: { object: 'list', data: [{ object: 'tax_id', id: 'txi_1', value: WHO }] },
    sources: {
      object: 'list',
      data: [
        {
          ...{ object: 'card', id: 'card_1', name: WHO, last4: WHO, dynamic_last4: WHO, fingerprint: WHO },
          ...{
            address_line1: WHO,
            address_line2: WHO,
            address_city: WHO,
            address_state: WHO,
            address_zip: WHO,
          },
          address_country: 'GB',
        },
        { object: 'bank_account', id: 'ba_1', account_holder_name: WHO, last4: WHO, bank_name: 'A Bank' },
        { object: 'source', id: 'src_1', owner: { address, email: WHO, name: WHO, phone: WHO, ...verified } },
        {
          ...{ object: 'source', id: 'src_2' },
          klarna: { first_name: WHO, last_name: WHO, shipping_first_name: WHO, shipping_last_name: WHO },
          multibanco: {
            ...{
              refund_account_holder_name: WHO,
              refund_iban: WHO,
              refund_account_holder_address_line1: WHO,
            },
            ...{ refund_account_holder_address_line2: WHO, refund_account_holder_address_city: WHO },
            ...{ refund_account_holder_address_postal_code: WHO, refund_account_holder_address_state: WHO },
            refund_account_holder_address_country: WHO,
          },
        },
      ],
    },
  },
  {
    object: 'tax_id',
    ...{ id: 'txi_1', country: 'GB', type: 'gb_vat', value: WHO },
    verification: { status: 'verified', verified_name: WHO, verified_address: WHO },
  },
  {
    object: 'invoice',
    ...{ id: 'in_1', number: 'A-1', total: 2500, currency: 'usd', created: 1_767_225_600 },
    ...{ customer_name: WHO, customer_email: WHO, customer_phone: WHO, customer_address: address },
    ...{ customer_shipping: { address }, customer_tax_ids: [{ type: 'gb_vat', value: WHO }] },
    ...{ custom_fields: [{ name: 'Attn', value: WHO }], description: WHO, footer: WHO },
    shipping_details: { address, name: WHO },
    payment_settings: {
      payment_method_options: {
        billie: {
          company_details: {
            registered_name: WHO,
            registered_address: address,
            registration_number: WHO,
            vat: WHO,
          },
        },
      },
    },
    lines: { object: 'list', data: [{ object: 'line_item', amount: 2500, description: '1 × Premium' }] },
  },
  {
    object: 'credit_note',
    ...{ id: 'cn_1', total: 500, memo: WHO },
    lines: {
      object: 'list',
      data: [{ object: 'credit_note_line_item', amount: 500, description: 'Premium' }],
    },
  },
  ...['subscription', 'subscription_schedule', 'payment_intent', 'setup_intent', 'charge', 'quote'].map(
    (object) => ({
      ...{ object, id: 'o_1', amount: 2500, description: WHO, header: WHO, footer: WHO, receipt_email: WHO },
      ...{
        phases: [{ start_date: 1, description: WHO }],
        cancellation_details: { comment: WHO, feedback: 'other' },
      },
      ...{
        payment_details: { customer_reference: WHO },
        level3: { shipping_address_zip: WHO, customer_reference: WHO },
      },
      ...{
        shipping: { address, name: WHO },
        amount_details: { shipping: { amount: 1, to_postal_code: WHO } },
      },
    }),
  ),
  {
    object: 'charge',
    ...{ id: 'ch_1', billing_details: { address, email: WHO, name: WHO, phone: WHO, tax_id: WHO } },
    payment_method_details: {
      acss_debit: { last4: WHO, bank_name: 'A Bank', institution_number: '001' },
      ach_credit_transfer: { account_number: WHO, routing_number: '110000000' },
      alipay: { buyer_id: WHO, transaction_id: 't_1' },
      bancontact: { iban_last4: WHO, verified_name: WHO, bic: 'VAPEBE22' },
      boleto: { tax_id: WHO },
      card: {
        wallet: {
          dynamic_last4: WHO,
          masterpass: { billing_address: address, shipping_address: address, email: WHO },
        },
      },
      card_present: { cardholder_name: WHO, last4: WHO },
      cashapp: { buyer_id: WHO, cashtag: WHO },
      crypto: { buyer_address: WHO },
      klarna: { payer_details: { address } },
      nz_bank_account: { account_holder_name: WHO, suffix: WHO },
      payto: { pay_id: WHO },
      sepa_credit_transfer: { iban: WHO, bic: 'VAPEBE22' },
      swish: { fingerprint: WHO, verified_phone_last4: WHO },
      upi: { vpa: WHO },
      us_bank_account: owner,
    },
  },
  {
    object: 'payment_method',
    ...{
      id: 'pm_1',
      type: 'paypal',
      paypal: { payer_email: WHO, payer_id: WHO, payer_name: WHO, country: 'GB' },
    },
    ...{
      ideal: { verified_name: WHO },
      klarna: { dob: { year: WHO } },
      sepa_debit: { last4: WHO, bank_code: '1' },
    },
  },
  {
    object: 'mandate',
    customer_acceptance: { online: { ip_address: WHO, user_agent: WHO }, accepted_at: 1 },
  },
  {
    object: 'refund',
    ...{ id: 're_1', amount: 500, description: WHO, instructions_email: WHO },
    next_action: { display_details: { email_sent: { email_sent_to: WHO, email_sent_at: 1 } } },
  },
  {
    object: 'dispute',
    ...{ id: 'du_1', amount: 500, evidence_details: { due_by: 1 } },
    evidence: { customer_name: WHO, customer_signature: WHO, uncategorized_text: WHO, shipping_address: WHO },
  },
  {
    object: 'checkout.session',
    ...{ id: 'cs_1', amount_total: 2500, client_reference_id: WHO, customer_email: WHO },
    ...{ customer_details: { address, email: WHO }, custom_fields: [{ key: 'k', text: { value: WHO } }] },
    collected_information: {
      business_name: WHO,
      individual_name: WHO,
      shipping_details: { name: WHO, address },
    },
    invoice_creation: { invoice_data: { custom_fields: [{ value: WHO }], description: WHO, footer: WHO } },
  },
  {
    object: 'customer_cash_balance_transaction',
    funded: {
      bank_transfer: {
        ...{ reference: WHO, eu_bank_transfer: { iban_last4: WHO, sender_name: WHO } },
        gb_bank_transfer: { account_number_last4: WHO, sender_name: WHO, sort_code: '1' },
      },
    },
  },
  {
    object: 'payment_intent',
    id: 'pi_1',
    next_action: {
      display_bank_transfer_instructions: { financial_addresses: [{ iban: { ...owner, iban: WHO } }] },
    },
  },
  { object: 'review', id: 'prv_1', billing_zip: WHO, ip_address: WHO, ip_address_location: { city: WHO } },
  { object: 'customer_balance_transaction', id: 'cbtxn_1', amount: -500, description: WHO },
]

test.each(objects.map((object) => [String(object.object), object]))(
  'nothing in a %s says who it is',
  (_, object) => {
    const event = { object: 'event', data: { object, previous_attributes: { ...object, object: undefined } } }
    for (const told of [object, { list: [object] }, event])
      expect(JSON.stringify(withoutPersonalData(told))).not.toContain(WHO)
  },
)

test('ids, amounts, dates, countries, banks and what was sold stay', () => {
  const kept = JSON.stringify(withoutPersonalData(objects))
  for (const said of [
    ...[
      '"cus_1"',
      '-968',
      '"card_1"',
      '"ba_1"',
      '"A Bank"',
      '"txi_1"',
      '"gb_vat"',
      '"A-1"',
      '2500',
      '1767225600',
    ],
    ...['"1 × Premium"', '"in_1"', '"cn_1"', '"Premium"', '"other"', '"VAPEBE22"', '"t_1"', '"GB"', '"pm_1"'],
    ...['"re_1"', '"du_1"', '"due_by":1', '"cs_1"', '"start_date":1', '"status":"verified"', '"feedback"'],
  ])
    expect(kept).toContain(said)
  const goods = { object: 'product', id: 'prod_1', description: 'What it is' }
  expect(withoutPersonalData({ object: 'price', product: goods })).toEqual({
    object: 'price',
    product: goods,
  })
})

test('twice is the same as once', () => {
  expect(withoutPersonalData(withoutPersonalData(objects))).toEqual(withoutPersonalData(objects))
})
