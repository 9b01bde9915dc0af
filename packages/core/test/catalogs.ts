import fc from '../../../test/support/fast-check.ts'
import { type Catalog, defineCatalog } from '../src/catalog.ts'
import type { LimitsInput, ModelInput, PriceInput } from '../src/catalog-input.ts'
import { aggregations } from '../src/meter.ts'

// Catalogues as people might write them, for properties that hold of all of them.

type AnyPrice = PriceInput<'cloud' | 'compute', 'seconds' | 'bytes'>

/** Decimal text with up to `digits` decimals. */
function decimals(max: bigint, digits: number): fc.Arbitrary<string> {
  return fc.bigInt({ min: 0n, max }).map((n) => {
    const text = `${n}`.padStart(digits + 1, '0')
    const split = text.length - digits
    return digits === 0 ? text : `${text.slice(0, split)}.${text.slice(split)}`
  })
}

const names = fc.constantFrom('Compute', 'Team, 5 seats', 'Größe – 大', 'a')
const models = (exponent: number): fc.Arbitrary<ModelInput> => {
  const amounts = decimals(100_000n, exponent)
  const rates = decimals(10n ** 15n, exponent + 12)
  const tiers = fc
    .tuple(
      fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 4 }),
      fc.array(fc.tuple(rates, amounts), { minLength: 5, maxLength: 5 }),
    )
    .map(([ends, terms]) =>
      [...ends.toSorted((a, b) => a - b).map(String), null].map((upTo, i) => ({
        upTo,
        unitAmount: terms[i]?.[0] ?? '0',
        flatAmount: terms[i]?.[1] ?? '0',
      })),
    )
  return fc.oneof(
    fc.record({ model: fc.constant('flat'), amount: amounts }),
    fc.record({ model: fc.constant('perUnit'), unitAmount: rates }),
    fc.record({
      model: fc.constant('package'),
      amount: amounts,
      size: fc.integer({ min: 1, max: 1_000_000 }).map(String),
      round: fc.constantFrom('up', 'down'),
    }),
    fc.record({ model: fc.constantFrom('graduated', 'volume'), tiers }),
  )
}

// Of a dinar only whole tens of its thousandths can be a maximum.
const limits = (exponent: number): fc.Arbitrary<LimitsInput> =>
  fc.record(
    {
      included: fc.integer({ min: 1, max: 1_000_000 }).map(String),
      maximum: decimals(100_000n, exponent === 0 ? 0 : 2),
    },
    { requiredKeys: [] },
  )

const prices = (exponent: number): fc.Arbitrary<AnyPrice> =>
  fc.oneof(
    fc
      .tuple(models(exponent), fc.constantFrom('inAdvance', 'inArrears'))
      .map(([model, timing]): AnyPrice => ({ kind: 'recurring', timing, ...model })),
    fc
      .tuple(models(exponent), fc.constantFrom('seconds', 'bytes'), names, limits(exponent))
      .map(
        ([model, meter, name, more]): AnyPrice => ({ meter, name, product: 'compute', ...model, ...more }),
      ),
    decimals(10n ** 11n - 1n, 10).map(
      (percent): AnyPrice => ({ model: 'percentage', percent: percent.replace(/^0\.0+$/, '1') }),
    ),
  )

const plans = (currency: string, exponent: number) =>
  fc.record({
    name: names,
    product: fc.constantFrom('cloud', 'compute'),
    currency: fc.constant(currency),
    interval: fc.constantFrom('day', 'week', 'month', 'year'),
    intervalCount: fc.integer({ min: 1, max: 3 }),
    trialDays: fc.nat(730),
    trialUsage: fc.constantFrom('free', 'billed'),
    audience: fc.constantFrom('public', 'admin', 'legacy'),
    prices: fc
      .dictionary(fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/), prices(exponent), {
        maxKeys: 6,
        noNullPrototype: true,
      })
      .map((more) => ({
        fee: { kind: 'recurring', model: 'flat', amount: '9' } as AnyPrice,
        ...more,
        base: { kind: 'recurring', model: 'flat', amount: '0' } as AnyPrice,
      })),
  })

export const catalogs: fc.Arbitrary<Catalog> = fc
  .record({
    names: fc.tuple(names, names),
    aggregation: fc.constantFrom(...aggregations),
    plans: fc.record({ team: plans('usd', 2), solo: plans('jpy', 0), lab: plans('kwd', 3) }),
  })
  .map((parts) =>
    defineCatalog({
      currency: 'usd',
      products: { cloud: { name: parts.names[0] }, compute: { name: parts.names[1], unitLabel: 'second' } },
      meters: {
        seconds: {
          ...{ name: 'Seconds', unitLabel: 'second', aggregation: parts.aggregation },
          ...(parts.aggregation === 'unique' && { property: 'user' }),
        },
        bytes: { name: 'Bytes', unitLabel: 'byte', aggregation: 'sum' },
      },
      plans: parts.plans,
    }),
  )
