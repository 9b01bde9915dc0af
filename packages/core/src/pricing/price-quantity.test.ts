import { expect, test } from 'vitest'
import fc from '../../../../test/support/fast-check.ts'
import { formatExact, money, parseRate, type Rate, round } from '../money.ts'
import type { PriceModel, Tier } from '../price.ts'
import { parseQuantity, type Quantity, units } from '../quantity.ts'
import { priceShare } from './percentage.ts'
import { priceQuantity } from './price-quantity.ts'

const usd = (minor: number) => money(BigInt(minor), 'usd')
const rate = (major: string, currency = 'usd') => parseRate(major, currency) as Rate
const quantity = (text: string) => parseQuantity(text) as Quantity
const tier = (upTo: string | null, cents: number, flat = 0): Tier => ({
  upTo: upTo === null ? null : quantity(upTo),
  rate: { picos: BigInt(cents) * 10n ** 12n, currency: 'usd' },
  flat: usd(flat),
})

/** Cents for a quantity, by each model. */
function cents(model: PriceModel, text: string): bigint {
  return round(priceQuantity({ ...model, currency: 'usd' }, quantity(text)).exact).minor
}

// Up to 10 at 5.00, up to 50 at 4.00, then 3.00: the tiers of Stripe's documentation.
const tiers = [tier('10', 500), tier('50', 400), tier(null, 300)]
// The same with 10.00 to enter the second tier.
const flatTiers = [tier('10', 500), tier('50', 400, 1000), tier(null, 300)]

const graduated: PriceModel = { model: 'graduated', tiers }
const graduatedFlat: PriceModel = { model: 'graduated', tiers: flatTiers }
const volume: PriceModel = { model: 'volume', tiers }
const volumeFlat: PriceModel = { model: 'volume', tiers: flatTiers }
const perUnit: PriceModel = { model: 'perUnit', rate: rate('15.00') }
const perUnitDecimal: PriceModel = { model: 'perUnit', rate: rate('0.0005') }
const packageUp: PriceModel = { model: 'package', amount: usd(1000), size: units(1000n), round: 'up' }
const packageDown: PriceModel = { ...packageUp, round: 'down' }
const flat: PriceModel = { model: 'flat', amount: usd(2000) }

// Each line a case, its last word the cents. What Stripe documents is written in its own numbers.
test.each([
  ['per unit', perUnit, '3', 4500n],
  ['per unit', perUnit, '0', 0n],
  ['per unit, finer than a cent', perUnitDecimal, '12345', 617n],
  ['per unit, part of a unit', perUnit, '0.001', 2n],
  ['package, begun', packageUp, '2001', 3000n],
  ['package, full', packageDown, '2001', 2000n],
  ['package, exactly', packageUp, '2000', 2000n],
  ['package, exactly', packageDown, '2000', 2000n],
  ['package, a billionth begun', packageUp, '2000.000000001', 3000n],
  ['package, none begun', packageUp, '0', 0n],
  ['package, less than one', packageDown, '999.999999999', 0n],
  ['graduated', graduated, '60', 24000n],
  ['graduated, at an edge', graduated, '10', 5000n],
  ['graduated, over an edge', graduated, '11', 5400n],
  ['graduated, half over an edge', graduated, '10.5', 5200n],
  ['graduated, nothing', graduated, '0', 0n],
  ['volume', volume, '60', 18000n],
  ['volume, at an edge', volume, '10', 5000n],
  ['volume, over an edge', volume, '11', 4400n],
  ['volume, a billionth over an edge', volume, '10.000000001', 4000n],
  ['volume, nothing', volume, '0', 0n],
  ['graduated with flat', graduatedFlat, '12', 6800n],
  ['graduated with flat, not entered', graduatedFlat, '10', 5000n],
  ['volume with flat', volumeFlat, '12', 5800n],
  ['volume with flat, past it', volumeFlat, '60', 18000n],
  ['flat', flat, '1', 2000n],
  ['flat', flat, '1000000', 2000n],
  ['flat, nothing', flat, '0', 0n],
] as const)('%s: %o × %s = %s', (_name, model, text, expected) => {
  expect(cents(model, text)).toBe(expected)
})

test('a flat amount on the first tier is not charged for nothing', () => {
  const entry = [tier('10', 500, 300), tier(null, 400)]
  expect(cents({ model: 'graduated', tiers: entry }, '0')).toBe(0n)
  expect(cents({ model: 'volume', tiers: entry }, '0')).toBe(0n)
  expect(cents({ model: 'graduated', tiers: entry }, '1')).toBe(800n)
})

test('tiers are added up exactly and rounded once', () => {
  // Three tiers of 0.4 cents each are 1.2 cents: 1, where rounding each would give 0.
  const third = (upTo: string | null): Tier => ({
    upTo: upTo === null ? null : quantity(upTo),
    rate: rate('0.004'),
    flat: usd(0),
  })
  expect(cents({ model: 'graduated', tiers: [third('1'), third('2'), third(null)] }, '3')).toBe(1n)
})

// 2,747,282,740 bytes, the first 1,000,000,000 free, 0.09 per 1,000,000,000 after:
// 1,747,282,740 × 0.00000000009 = 0.1572554466, which is 16 cents.
test('bandwidth with a free allowance, the steps as the bookkeeper sees them', () => {
  const bandwidth: PriceModel = {
    model: 'graduated',
    tiers: [
      { upTo: quantity('1000000000'), rate: rate('0'), flat: usd(0) },
      { upTo: null, rate: rate('0.00000000009'), flat: usd(0) },
    ],
  }
  const priced = priceQuantity({ ...bandwidth, currency: 'usd' }, quantity('2747282740'))
  expect(formatExact(priced.exact)).toBe('0.1572554466')
  expect(round(priced.exact)).toEqual(usd(16))
  expect(priced.steps).toEqual([
    {
      kind: 'tier',
      tier: 1,
      from: '0',
      to: '1000000000',
      quantity: '1000000000',
      rate: '0',
      flat: '0',
      amount: '0',
    },
    {
      kind: 'tier',
      tier: 2,
      from: '1000000000',
      to: null,
      quantity: '1747282740',
      rate: '0.00000000009',
      flat: '0',
      amount: '0.1572554466',
    },
  ])
})

test('a share is taken of the amounts as they stand, and rounded once', () => {
  // 10 % of 20.00 + 0.16 + 0.05 = 2.021.
  const { exact, steps } = priceShare(
    100_000_000_000n,
    [
      { key: null, amount: usd(2000) },
      { key: 'bandwidth', amount: usd(16) },
      { key: 'compute', amount: usd(5) },
    ],
    'usd',
  )
  expect(round(exact)).toEqual(usd(202))
  expect(steps).toEqual([
    {
      kind: 'share',
      of: [
        { key: null, amount: '20' },
        { key: 'bandwidth', amount: '0.16' },
        { key: 'compute', amount: '0.05' },
      ],
      base: '20.21',
      percent: '10',
      amount: '2.021',
    },
  ])
  // A third of a percent of 1.50 is 0.005 exactly at the half: away from zero.
  expect(round(priceShare(3_333_333_333n, [{ key: null, amount: usd(150) }], 'usd').exact)).toEqual(usd(0))
  expect(round(priceShare(5_000_000_000n, [{ key: null, amount: usd(100) }], 'usd').exact)).toEqual(usd(1))
  expect(round(priceShare(5_000_000_000n, [{ key: null, amount: usd(-100) }], 'usd').exact)).toEqual(usd(-1))
  expect(round(priceShare(100_000_000_000n, [], 'jpy').exact)).toEqual(money(0n, 'jpy'))
})

test('a negative quantity and a percentage of a quantity are mistakes of ours', () => {
  expect(() => priceQuantity({ ...perUnit, currency: 'usd' }, -1n)).toThrow('refused where it comes in')
  const amount = { minor: 1n, currency: 'usd' }
  for (const model of [
    { model: 'percentage', picos: 1n } as const,
    { model: 'minimum', amount } as const,
    { model: 'maximum', amount } as const,
  ]) {
    expect(() => priceQuantity({ ...model, currency: 'usd' }, 1n)).toThrow(
      `a ${model.model} is made of amounts`,
    )
  }
})

const quantities = fc.bigInt({ min: 0n, max: 10n ** 18n })
const rates = fc.bigInt({ min: 0n, max: 10n ** 15n })
const tierLists = (flatMax: bigint) =>
  fc
    .tuple(
      fc.uniqueArray(fc.bigInt({ min: 1n, max: 10n ** 18n }), { maxLength: 6 }),
      fc.array(fc.tuple(rates, fc.bigInt({ min: 0n, max: flatMax })), { minLength: 7, maxLength: 7 }),
    )
    .map(([ends, terms]) => {
      const bounds = [...ends.toSorted((a, b) => (a < b ? -1 : 1)), null]
      return bounds.map((upTo, i): Tier => {
        const [picos, minor] = terms[i] ?? [0n, 0n]
        return { upTo, rate: { picos, currency: 'usd' }, flat: money(minor, 'usd') }
      })
    })

const exact = (model: PriceModel, n: Quantity) => priceQuantity({ ...model, currency: 'usd' }, n).exact.scaled

/** The graduated price the other way round: what lies above each edge, at the change of rate there. */
function graduatedByEdges(list: readonly Tier[], n: Quantity): bigint {
  let [total, rateBefore, edge] = [0n, 0n, 0n]
  for (const {
    upTo,
    rate: { picos },
    flat: { minor },
  } of list) {
    if (n > edge) total += (n - edge) * (picos - rateBefore) + minor * 10n ** 21n
    rateBefore = picos
    edge = upTo ?? edge
  }
  return total
}

test('graduated agrees with a second way to compute it', () => {
  fc.assert(
    fc.property(tierLists(10_000n), quantities, (list, n) => {
      expect(exact({ model: 'graduated', tiers: list }, n)).toBe(graduatedByEdges(list, n))
    }),
  )
})

test('graduated prices without flat amounts are continuous at the edges and never fall', () => {
  fc.assert(
    fc.property(tierLists(0n), quantities, (list, n) => {
      const model: PriceModel = { model: 'graduated', tiers: list }
      expect(exact(model, n + 1n) >= exact(model, n)).toBe(true)
      for (const [i, { upTo }] of list.entries()) {
        const next = list[i + 1]
        if (upTo === null || !next) continue
        // One nano over the edge costs one nano at the next tier's rate, and no jump.
        expect(exact(model, upTo + 1n) - exact(model, upTo)).toBe(next.rate.picos)
      }
    }),
  )
})

test('one open tier is per unit, by either tiered model; both agree within the first tier', () => {
  fc.assert(
    fc.property(rates, quantities, (picos, n) => {
      const one = [{ upTo: null, rate: { picos, currency: 'usd' }, flat: usd(0) }]
      const expected = exact({ model: 'perUnit', rate: { picos, currency: 'usd' } }, n)
      expect(exact({ model: 'graduated', tiers: one }, n)).toBe(expected)
      expect(exact({ model: 'volume', tiers: one }, n)).toBe(expected)
    }),
  )
})

test('the steps of a price add up to it, and cover the quantity', () => {
  fc.assert(
    fc.property(tierLists(10_000n), quantities, (list, n) => {
      const { exact: total, steps } = priceQuantity({ model: 'graduated', tiers: list, currency: 'usd' }, n)
      const scaled = (text: string) => rate(text).picos
      // Amounts have up to 23 decimals of a dollar; add them as integers of the last one.
      const asInteger = (text: string) => {
        const [whole = '0', fraction = ''] = text.split('.')
        return BigInt(whole + fraction.padEnd(23, '0'))
      }
      expect(steps.reduce((sum, step) => sum + asInteger(step.amount), 0n)).toBe(total.scaled)
      const covered = steps.reduce(
        (sum, step) => sum + (step.kind === 'tier' ? quantity(step.quantity) : 0n),
        0n,
      )
      expect(covered).toBe(n)
      for (const step of steps)
        if (step.kind === 'tier') expect(scaled(step.rate)).toBe(list[step.tier - 1]?.rate.picos)
    }),
  )
})

test('begun packages are the full ones, or one more', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 15n }), quantities, (size, n) => {
      const [up, down] = (['up', 'down'] as const).map(
        (round) => exact({ model: 'package', amount: usd(1), size, round }, n) / 10n ** 21n,
      )
      expect(down).toBe(n / size)
      expect(up).toBe(n % size === 0n ? n / size : n / size + 1n)
    }),
  )
})
