import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { restTerms } from './rest-terms.ts'

const settings = (of: object) => ({ payment_settings: of }) as Partial<Stripe.Subscription>

test('a subscription that says nothing tells nothing', () => {
  expect(restTerms({})).toEqual({})
  expect(
    restTerms({
      collection_method: 'charge_automatically',
      days_until_due: null,
      default_payment_method: null,
      default_source: null,
      default_tax_rates: [],
      automatic_tax: { disabled_reason: null, enabled: false, liability: { type: 'self' } },
      invoice_settings: {
        ...{ account_tax_ids: null, custom_fields: null, description: null, footer: null },
        issuer: { type: 'self' },
      },
      payment_settings: {
        ...{ payment_method_options: null, payment_method_types: null, save_default_payment_method: 'off' },
      },
      on_behalf_of: null,
      transfer_data: null,
    }),
  ).toEqual({})
})

test('what it says of tax, of who issues it and what is printed', () => {
  expect(
    restTerms({
      automatic_tax: {
        disabled_reason: null,
        enabled: true,
        liability: { type: 'account', account: 'acct_1' },
      },
      invoice_settings: {
        account_tax_ids: ['txi_1', { id: 'txi_2' } as Stripe.TaxId],
        custom_fields: [{ name: 'Order', value: '7' }],
        description: 'Thank you',
        footer: 'Berlin',
        issuer: { type: 'account', account: 'acct_1' },
      },
      on_behalf_of: 'acct_1',
      transfer_data: { amount_percent: null, destination: 'acct_2' },
    }),
  ).toEqual({
    automatic_tax: { enabled: true, liability: { type: 'account', account: 'acct_1' } },
    account_tax_ids: ['txi_1', 'txi_2'],
    custom_fields: [{ name: 'Order', value: '7' }],
    description: 'Thank you',
    footer: 'Berlin',
    issuer: { type: 'account', account: 'acct_1' },
    on_behalf_of: 'acct_1',
    transfer_data: { destination: 'acct_2' },
  })
})

test('a share of what is paid is not told: an invoice takes an amount', () => {
  expect(restTerms({ transfer_data: { amount_percent: 20, destination: 'acct_2' } })).toEqual({})
})

test.each([
  [{ payment_method_types: ['card', 'sepa_debit'] }, { payment_method_types: ['card', 'sepa_debit'] }],
  [
    { payment_method_options: { card: { network: 'visa', request_three_d_secure: 'any' }, konbini: {} } },
    { payment_method_options: { card: { request_three_d_secure: 'any' }, konbini: {} } },
  ],
  [
    {
      payment_method_options: {
        customer_balance: {
          bank_transfer: { type: 'eu_bank_transfer', eu_bank_transfer: { country: 'DE' } },
          funding_type: 'bank_transfer',
        },
        us_bank_account: { financial_connections: { permissions: ['payment_method'], prefetch: null } },
        card: { mandate_options: { amount: 100 }, network: null, request_three_d_secure: null },
        acss_debit: null,
      },
    },
    {
      payment_method_options: {
        customer_balance: {
          bank_transfer: { type: 'eu_bank_transfer', eu_bank_transfer: { country: 'DE' } },
          funding_type: 'bank_transfer',
        },
        us_bank_account: { financial_connections: { permissions: ['payment_method'] } },
      },
    },
  ],
])('how it is paid: %j', (said, told) => {
  expect(restTerms(settings(said))).toEqual({ payment_settings: told })
})
