import { expect, test } from 'vitest'
import type { SumTerms } from '../provider/stripe/to-sum-terms.ts'
import { sumInvoice } from './sums.ts'

// Somebody else knows the tax, and no invoice says so far what it comes to: 10.01 and 5.00, 15.01 together.

const vat = { id: 'txr_vat', name: 'VAT', percent: '19', inclusive: false }
const inside = { id: 'txr_in', name: 'VAT', percent: '20', inclusive: true }

const terms: SumTerms = {
  ...{ taxRates: [], items: [], isTaxedElsewhere: true, isTaxExempt: false, isCharged: true, balance: 0n },
}
const line = (amount: bigint) => ({
  ...{ amount, discountable: true, product: null, item: null, takenBefore: 0n, taxRates: [] },
})
const summed = (more: Partial<SumTerms>) =>
  sumInvoice({
    ...{ currency: 'usd', lines: [line(1001n), line(500n)], discounts: [], hasUnread: false },
    ...{ terms: { ...terms, ...more }, taxSeen: undefined },
  })
const item = (...taxRates: (typeof vat)[]) => ({ id: 'si_1', product: 'prod_1', taxRates })

test('without any rates it is not known', () => {
  const { tax, total, unknown } = summed({ items: [item()] })
  expect([tax.certainty, tax.amount, total.minor, unknown]).toEqual(['unknown', null, 1501n, ['tax']])
})

test.each([
  // 1.9019 and 0.95 are 1.90 and 0.95.
  ['those of the subscription', { taxRates: [vat], items: [item(inside)] }, 285n, 1786n],
  ['those of its items', { items: [item(), item(vat)] }, 285n, 1786n],
  // A sixth of each: 1.6683 and 0.8333.
  ['those that amounts contain', { items: [item(inside)] }, 250n, 1501n],
])('it is estimated by %s', (_, more, amount, total) => {
  const { tax, total: all, unknown } = summed(more)
  expect([tax.certainty, tax.amount?.minor, all.minor, unknown]).toEqual(['estimated', amount, total, []])
})
