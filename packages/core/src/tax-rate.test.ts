import { expect, test } from 'vitest'
import { type TaxRate, taxesOn } from './tax-rate.ts'

const rate = (percent: string, inclusive: boolean): TaxRate => ({
  ...{ id: `txr_${percent}`, name: 'VAT', percent, inclusive },
})

test('ten dollars at 20 % are two on top, or 1.67 inside', () => {
  // docs.stripe.com/billing/taxes/tax-rates
  expect(taxesOn(1000n, [rate('20', false)])).toEqual([200n])
  expect(taxesOn(1000n, [rate('20', true)])).toEqual([167n])
})

test('every rate is a share of the amount without the taxes that are inside it', () => {
  // 1200 with 20 % inside is 1000 and 200; 7.5 % of the 1000 are 75.
  expect(taxesOn(1200n, [rate('20', true), rate('7.5', false)])).toEqual([200n, 75n])
})

test('each tax is rounded by itself, half away from zero; a credit takes its tax back', () => {
  expect(taxesOn(150n, [rate('5', false), rate('1', false)])).toEqual([8n, 2n])
  expect(taxesOn(-150n, [rate('5', false)])).toEqual([-8n])
  expect(taxesOn(0n, [rate('5', false)])).toEqual([0n])
})
