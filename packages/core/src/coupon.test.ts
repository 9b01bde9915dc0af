import { describe, expect, test } from 'vitest'
import { catalogDiff, defineCatalog } from './catalog.ts'
import type { CouponInput } from './catalog-input.ts'
import { whyNotRedeemable } from './coupon.ts'
import { Problem } from './problem.ts'

const catalogWith = (coupons: Record<string, CouponInput>) =>
  defineCatalog({
    currency: 'usd',
    products: { app: { name: 'App' } },
    plans: {
      free: {
        name: 'Free',
        product: 'app',
        interval: 'month',
        prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
      },
    },
    coupons,
  })

const couponOf = (coupon: CouponInput) => {
  const [read] = catalogWith({ coupon }).coupons
  if (!read) throw new Error('There is one.')
  return read
}

/** What is wrong with a coupon, as `field code`. */
function faultsOf(coupon: object): string[] {
  try {
    catalogWith({ coupon: coupon as CouponInput })
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.faults.map(({ pointer, code }) => `${pointer.replace('#/coupons/coupon', '')} ${code}`)
  }
}

test('a share is kept in hundredths of a percent, an amount in minor units', () => {
  expect(couponOf({ name: 'A', percentOff: '12.5', duration: 'once' }).reduction).toEqual({
    kind: 'share',
    basisPoints: 1250,
  })
  expect(couponOf({ name: 'B', amountOff: '500', currency: 'jpy', duration: 'forever' }).reduction).toEqual({
    kind: 'amount',
    amount: { minor: 500n, currency: 'jpy' },
  })
})

test.each([
  [{ name: 'A', duration: 'once' }, [' invalid']],
  [{ name: 'A', duration: 'once', percentOff: '10', amountOff: '1.00' }, [' invalid']],
  [{ name: 'A', duration: 'once', percentOff: '0' }, ['/percentOff invalid']],
  [{ name: 'A', duration: 'once', percentOff: '100.01' }, ['/percentOff invalid']],
  [{ name: 'A', duration: 'once', percentOff: '0.001' }, ['/percentOff invalid']],
  [{ name: 'A', duration: 'once', percentOff: 10 }, ['/percentOff invalid']],
  [{ name: 'A', duration: 'once', amountOff: '0' }, ['/amountOff amount_invalid']],
  [{ name: 'A', duration: 'repeating', percentOff: '10' }, ['/durationInMonths required']],
  [
    { name: 'A', duration: 'once', durationInMonths: 3, percentOff: '10' },
    ['/durationInMonths unknown_field'],
  ],
  [{ name: 'A', duration: 'once', percentOff: '10', redeemBy: 'soon' }, ['/redeemBy invalid']],
  [{ name: 'x'.repeat(41), duration: 'once', percentOff: '10' }, ['/name too_long']],
])('%j: %j', (coupon, faults) => expect(faultsOf(coupon)).toEqual(faults))

test('what may have been redeemed does not change', () => {
  const before = catalogWith({ coupon: { name: 'A', percentOff: '10', duration: 'once' } })
  const after = catalogWith({ coupon: { name: 'A', percentOff: '20', duration: 'once' } })
  expect(() => catalogDiff(before, after)).toThrow(
    '#/coupons/coupon: The coupon coupon may have been redeemed',
  )
  expect(catalogDiff(before, before).filter(({ action }) => action !== 'unchanged')).toEqual([])
})

describe('redeemed', () => {
  const coupon = couponOf({
    name: 'A',
    amountOff: '5.00',
    duration: 'once',
    redeemBy: '2026-01-01T00:00:00Z',
  })
  const newYear = Date.UTC(2026, 0, 1) / 1000
  test.each([
    ['the second before', newYear - 1, 'usd', undefined],
    ['the second itself', newYear, 'usd', 'coupon_expired'],
    ['another currency', newYear - 1, 'eur', 'currency_mismatch'],
  ])('%s', (_, at, currency, code) => {
    expect(whyNotRedeemable(coupon, { at, currency })?.code).toBe(code)
  })
})
