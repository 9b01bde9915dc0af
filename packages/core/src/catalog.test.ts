import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { catalogs } from '../test/catalogs.ts'
import { cloudHost } from '../test/cloud-host.ts'
import { type Catalog, catalogDiff, defineCatalog } from './catalog.ts'
import { planToJson } from './plan.ts'
import { Problem } from './problem.ts'

/** What is wrong with a catalogue, `pointer code` each. */
function faultsOf(input: unknown): string[] {
  try {
    defineCatalog(input as never)
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect(error.code).toBe('catalog_invalid')
    return error.faults.map(({ pointer, code }) => `${pointer} ${code}`)
  }
}

const fee = { kind: 'recurring', model: 'flat', amount: '9.00' }
const usage = (more: object) => ({ meter: 'tokens', ...more })
/** A catalogue of one plan with these prices besides its fee. */
const withPrices = (prices: object, plan: object = {}) => ({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: { tokens: { name: 'Tokens', unitLabel: 'token', aggregation: 'sum' } },
  plans: { team: { name: 'Team', product: 'app', interval: 'month', prices: { fee, ...prices }, ...plan } },
})
const withPlan = (plan: object) => withPrices({}, plan)

test('what is not said is filled in', () => {
  const { products, meters, plans } = cloudHost
  expect(products.map(({ key, description, taxCode }) => [key, description, taxCode])).toEqual([
    ['cloud', null, null],
    ['compute', null, null],
    ['network', 'Everything that leaves', 'txcd_10103001'],
  ])
  expect(meters).toHaveLength(4)
  const { prices, ...terms } = plans[0] ?? { prices: [] }
  expect(terms).toEqual({
    key: 'cloud-host',
    name: 'Cloud host',
    audience: 'public',
    product: 'cloud',
    currency: 'usd',
    interval: 'month',
    intervalCount: 1,
    usageInterval: null,
    usageIntervalCount: null,
    trialDays: 0,
    trialUsage: 'free',
    rollsInto: null,
    purchase: 'membership',
    payments: null,
    grants: [],
  })
  expect(
    prices.map(({ key, name, product, kind, timing }) => [key, name, product, kind, timing].join(' | ')),
  ).toEqual([
    'fee | Cloud host | cloud | recurring | inAdvance',
    'compute | Compute | compute | usage | inArrears',
    'bandwidth | Bandwidth | network | usage | inArrears',
    'storage | Storage | cloud | usage | inArrears',
    'requests | Requests | network | usage | inArrears',
    'backup | Backup | cloud | recurring | inArrears',
    'support | Support | cloud | share | inArrears',
  ])
})

test('amounts are exact', () => {
  const catalog = defineCatalog(
    withPrices({
      tokens: usage({ model: 'perUnit', unitAmount: '0.00000000000001' }),
      packs: usage({ model: 'package', size: '0.5', amount: '0.40', round: 'down' }),
      share: { model: 'percentage', percent: '12.5' },
    }) as never,
  )
  expect(catalog.plans[0]?.prices.slice(1)).toMatchObject([
    { model: 'perUnit', rate: { picos: 1n, currency: 'usd' } },
    { model: 'package', size: 500_000_000n, amount: { minor: 40n, currency: 'usd' }, round: 'down' },
    { model: 'percentage', picos: 125_000_000_000n },
  ])
})

test.each([
  ['a finer coin than there is', { amount: '9.001' }, ['/amount amount_invalid']],
  ['a negative amount', { amount: '-9.00' }, ['/amount amount_invalid']],
  ['a float', { amount: 9 }, ['/amount invalid']],
  ['no amount', { amount: undefined }, ['/amount required']],
  ['an amount that no sum could hold', { amount: '100000000000.01' }, ['/amount amount_invalid']],
  ['a meter', { kind: 'recurring', meter: 'tokens' }, ['/meter invalid']],
  ['a misspelled field', { ammount: '9.00' }, ['/ammount unknown_field']],
  ['another model', { model: 'tiered' }, ['/model invalid']],
  ['the fields of another model', { unitAmount: '1' }, ['/unitAmount unknown_field']],
  ['another timing', { timing: 'later' }, ['/timing invalid']],
  ['a product that is not there', { product: 'apps' }, ['/product unknown']],
])('a fee with %s is refused', (_name, part, expected) => {
  const faults = faultsOf(withPrices({ fee: { ...fee, ...part } }))
  expect(faults.map((text) => text.replace('#/plans/team/prices/fee', ''))).toEqual(expected)
})

test.each([
  [
    'a meter that is not there',
    usage({ meter: 'token', model: 'perUnit', unitAmount: '1' }),
    ['x/meter unknown'],
  ],
  ['neither meter nor kind', { model: 'perUnit', unitAmount: '1' }, ['x/kind required']],
  [
    'usage in advance',
    usage({ timing: 'inAdvance', model: 'perUnit', unitAmount: '1' }),
    ['x/timing invalid'],
  ],
  [
    'a rate under 1e-12 of a cent',
    usage({ model: 'perUnit', unitAmount: '0.000000000000001' }),
    ['x/unitAmount amount_invalid'],
  ],
  ['an empty package', usage({ model: 'package', size: '0', amount: '1' }), ['x/size quantity_invalid']],
  [
    'rounding to nearest',
    usage({ model: 'package', size: '1', amount: '1', round: 'nearest' }),
    ['x/round invalid'],
  ],
  ['no tiers', usage({ model: 'volume', tiers: [] }), ['x/tiers tiers_invalid']],
  [
    'tiers that are no list',
    usage({ model: 'volume', tiers: {} }),
    ['x/tiers invalid', 'x/tiers tiers_invalid'],
  ],
  [
    'a last tier with an end',
    usage({ model: 'volume', tiers: [{ upTo: '5' }] }),
    ['x/tiers/0/upTo tiers_invalid'],
  ],
  [
    'a tier after the open one',
    usage({ model: 'volume', tiers: [{ upTo: null }, { upTo: null }] }),
    ['x/tiers/0/upTo tiers_invalid'],
  ],
  [
    'tiers that do not rise',
    usage({ model: 'graduated', tiers: [{ upTo: '5' }, { upTo: '5' }, { upTo: null }] }),
    ['x/tiers/1/upTo tiers_invalid'],
  ],
  [
    'a tier without its end',
    usage({ model: 'graduated', tiers: [{ unitAmount: '1' }, { upTo: null }] }),
    ['x/tiers/0/upTo required'],
  ],
  [
    'a misspelled tier',
    usage({ model: 'graduated', tiers: [{ upTo: null, flat: '1' }] }),
    ['x/tiers/0/flat unknown_field'],
  ],
  ['none included', usage({ model: 'flat', amount: '1', included: '0' }), ['x/included quantity_invalid']],
  [
    'a maximum below nothing',
    usage({ model: 'flat', amount: '1', maximum: '-1.00' }),
    ['x/maximum amount_invalid'],
  ],
  [
    'limits of what is no usage',
    { kind: 'recurring', model: 'flat', amount: '1', included: '1', maximum: '1' },
    ['x/included invalid', 'x/maximum invalid'],
  ],
  ['a bound of a meter', usage({ model: 'maximum', amount: '1' }), ['x/model invalid']],
  ['a bound that bounds nothing', { kind: 'bound', model: 'flat', amount: '1' }, ['x/model invalid']],
  ['a bound in advance', { model: 'minimum', amount: '1', timing: 'inAdvance' }, ['x/timing invalid']],
  ['a share of a meter', usage({ model: 'percentage', percent: '10' }), ['x/model invalid']],
  ['a share that is no percentage', { kind: 'share', model: 'flat', amount: '1' }, ['x/model invalid']],
  ['no percent', { model: 'percentage' }, ['x/percent required']],
  ['nothing as percent', { model: 'percentage', percent: '0' }, ['x/percent amount_invalid']],
  ['a sign in percent', { model: 'percentage', percent: '10%' }, ['x/percent amount_invalid']],
  [
    'part of a unit, billed by the provider',
    { kind: 'recurring', model: 'package', size: '0.5', amount: '1' },
    ['x/size quantity_invalid'],
  ],
  ['no object', 'free', ['x invalid', 'x/model required', 'x/kind required', 'x/amount required']],
])('a price with %s is refused', (_name, price, expected) => {
  expect(faultsOf(withPrices({ x: price })).map((text) => text.replace('#/plans/team/prices/', ''))).toEqual(
    expected,
  )
})

test.each([
  ['no name', { name: undefined }, ['/name required']],
  ['an empty name', { name: ' ' }, ['/name invalid']],
  ['a line break in its name', { name: 'a\nb' }, ['/name invalid']],
  ['another interval', { interval: 'quarter' }, ['/interval invalid']],
  ['37 months', { intervalCount: 37 }, ['/intervalCount invalid']],
  ['half a month', { intervalCount: 0.5 }, ['/intervalCount invalid']],
  ['three years and a trial of two', { interval: 'year', intervalCount: 3, trialDays: 730 }, []],
  ['a trial over two years', { trialDays: 731 }, ['/trialDays invalid']],
  ['another audience', { audience: 'friends' }, ['/audience invalid']],
  ['an upper-case currency', { currency: 'EUR' }, ['/currency invalid']],
  ['a currency that is gone', { currency: 'bgn' }, ['/currency invalid']],
  ['a roll into nothing', { rollsInto: 'teams' }, ['/rollsInto unknown']],
  ['a roll into itself', { rollsInto: 'team' }, ['/rollsInto circle']],
  ['no prices', { prices: {} }, ['/prices recurring_price_missing']],
  [
    'only a fee in arrears',
    { prices: { fee: { ...fee, timing: 'inArrears' } } },
    ['/prices recurring_price_missing'],
  ],
  [
    'two minimums of its usage',
    { prices: { fee, a: { model: 'minimum', amount: '1' }, b: { model: 'minimum', amount: '1' } } },
    ['/prices duplicate'],
  ],
  [
    'a minimum above the maximum',
    { prices: { fee, a: { model: 'minimum', amount: '2' }, b: { model: 'maximum', amount: '1' } } },
    ['/prices bounds_invalid'],
  ],
  [
    'a minimum that is the maximum',
    { prices: { fee, a: { model: 'minimum', amount: '1' }, b: { model: 'maximum', amount: '1' } } },
    [],
  ],
  ['a fee of nothing', { prices: { fee: { ...fee, amount: '0' } } }, []],
  ['a fee of nothing that waits', { prices: { fee: { ...fee, amount: '0', collectFrom: '5' } } }, []],
  ['a fee that waits', { prices: { fee: { ...fee, collectFrom: '5' } } }, ['/prices collected_with_fee']],
  [
    'a fee that waits beside one that does not',
    { prices: { fee, free: { ...fee, amount: '0', collectFrom: '5' } } },
    ['/prices collected_with_fee'],
  ],
  [
    '21 items at the provider',
    { prices: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`fee-${i}`, fee])) },
    ['/prices too_long'],
  ],
  ['a key with a space', { prices: { fee, 'a b': fee } }, ['/prices/a%20b key_invalid']],
])('a plan with %s', (_name, part, expected) => {
  expect(faultsOf(withPlan(part)).map((text) => text.replace('#/plans/team', ''))).toEqual(expected)
})

test('plans roll in one currency, and not in circles', () => {
  const { plans, ...rest } = withPlan({})
  const chain = { a: { ...plans.team, rollsInto: 'b' }, b: { ...plans.team, rollsInto: 'c' }, c: plans.team }
  expect(faultsOf({ ...rest, plans: chain })).toEqual([])
  expect(faultsOf({ ...rest, plans: { ...chain, c: { ...plans.team, rollsInto: 'a' } } })).toEqual([
    '#/plans/a/rollsInto circle',
    '#/plans/b/rollsInto circle',
    '#/plans/c/rollsInto circle',
  ])
  expect(faultsOf({ ...rest, plans: { ...chain, b: { ...plans.team, currency: 'eur' } } })).toEqual([
    '#/plans/a/rollsInto currency_mismatch',
  ])
})

test('all mistakes of a catalogue are told at once', () => {
  expect(
    faultsOf({
      currency: 'dollar',
      products: { App: { name: 'App' }, tax: { name: 7, taxcode: 'x' } },
      meters: { tokens: { name: 'Tokens', aggregation: 'avg' } },
      plans: { team: { name: 'Team', product: 'app', interval: 'month', prices: { fee } } },
      discounts: {},
    }),
  ).toEqual([
    '#/currency invalid',
    '#/products/App key_invalid',
    '#/products/tax/name invalid',
    '#/products/tax/taxcode unknown_field',
    '#/meters/tokens/unitLabel required',
    '#/meters/tokens/aggregation invalid',
    '#/plans/team/product unknown',
    '#/discounts unknown_field',
  ])
  expect(faultsOf(null)).toContain('# invalid')
})

// `maxLength` of `unit_label` is 12 in Stripe's OpenAPI specification: https://docs.stripe.com/api/products/create#create_product-unit_label
test('a product is counted in a word that the provider can print', () => {
  const of = (unitLabel: string) =>
    faultsOf({
      currency: 'usd',
      products: { app: { name: 'App', unitLabel } },
      plans: { team: { name: 'Team', product: 'app', interval: 'month', prices: { fee } } },
    })
  expect(of('GB-hours/day')).toEqual([])
  expect(of('gigabyte-hour')).toEqual(['#/products/app/unitLabel too_long'])
})

test('the sentence names the first mistake and counts the others', () => {
  expect(() => defineCatalog(withPlan({ name: '', interval: 'moon' }) as never)).toThrow(
    'catalog_invalid: #/plans/team/name: The name is empty. And 1 more.',
  )
})

// Checked by tsc: an editor knows a wrong reference before anything runs.
test('references are typed', () => {
  expect(() =>
    defineCatalog({
      currency: 'usd',
      products: { app: { name: 'App' } },
      meters: { tokens: { name: 'Tokens', unitLabel: 'token', aggregation: 'sum' } },
      plans: {
        team: {
          name: 'Team',
          // @ts-expect-error there is no such product
          product: 'ap',
          interval: 'month',
          // @ts-expect-error there is no such plan
          rollsInto: 'teem',
          prices: {
            fee: { kind: 'recurring', model: 'flat', amount: '9.00' },
            // @ts-expect-error there is no such meter
            tokens: { meter: 'token', model: 'perUnit', unitAmount: '1' },
            // @ts-expect-error amounts are text
            flat: { kind: 'recurring', model: 'flat', amount: 9 },
          },
        },
      },
    }),
  ).toThrow(Problem)
})

const changed = (catalog: Catalog, input: unknown) =>
  catalogDiff(catalog, defineCatalog(input as never)).filter(({ action }) => action !== 'unchanged')

test('an unchanged catalogue changes nothing', () => {
  expect(
    catalogDiff(cloudHost, cloudHost).map(
      ({ kind, action, details }) => `${kind} ${action} ${details.length}`,
    ),
  ).toEqual([
    ...Array.from({ length: 3 }, () => 'product unchanged 0'),
    ...Array.from({ length: 4 }, () => 'meter unchanged 0'),
    'plan unchanged 0',
  ])
})

test('changes are told in words', () => {
  const before = defineCatalog(
    withPrices({
      tokens: usage({ model: 'graduated', tiers: [{ upTo: '1000' }, { upTo: null, unitAmount: '0.0004' }] }),
      support: { model: 'percentage', percent: '10' },
    }) as never,
  )
  const { products: _, ...rest } = withPrices({
    fee: { ...fee, amount: '10.00' },
    tokens: usage({ model: 'graduated', tiers: [{ upTo: '2000' }, { upTo: null, unitAmount: '0.0003' }] }),
    setup: { kind: 'recurring', model: 'flat', amount: '1.00' },
  })
  expect(
    changed(before, {
      ...rest,
      products: { app: { name: 'App', unitLabel: 'seat' }, extra: { name: 'Extra' } },
    }),
  ).toEqual([
    { kind: 'product', action: 'update', key: 'app', details: ['unitLabel: none → seat'] },
    { kind: 'product', action: 'create', key: 'extra', details: [] },
    {
      kind: 'plan',
      action: 'newVersion',
      key: 'team',
      details: [
        'prices: fee, tokens, support → fee, tokens, setup',
        'prices/fee/amount: 9.00 → 10.00',
        'prices/tokens/tiers/0/upTo: 1,000 → 2,000',
        'prices/tokens/tiers/1/unitAmount: 0.0004 → 0.0003',
        'prices/setup: added, flat 1.00',
        'prices/support: removed, was percentage 10',
      ],
    },
  ])
})

test('what is no longer there is archived, what is new is made', () => {
  const empty: Catalog = {
    seller: null,
    products: [],
    meters: [],
    features: [],
    coupons: [],
    plans: [],
    addons: [],
    signUp: null,
    planChanges: { upgrade: 'now', downgrade: 'periodEnd' },
    grace: { days: null },
  }
  expect(catalogDiff(empty, cloudHost).map(({ kind, action, key }) => `${kind} ${action} ${key}`)).toContain(
    'plan create cloud-host',
  )
  expect(catalogDiff(cloudHost, empty).map(({ kind, action, key }) => `${kind} ${action} ${key}`)).toEqual([
    'product archive cloud',
    'product archive compute',
    'product archive network',
    'meter archive compute_seconds',
    'meter archive bandwidth_bytes',
    'meter archive storage_gib',
    'meter archive requests',
    'plan archive cloud-host',
  ])
})

const withMeter = (meter: object) => ({
  currency: 'usd',
  products: { app: { name: 'App' } },
  meters: { m: { name: 'M', unitLabel: 'unit', ...meter } },
  features: {},
  plans: { team: { name: 'Team', product: 'app', interval: 'month', prices: { fee } } },
})

test('a meter of different values says of what, and no other does', () => {
  expect(faultsOf(withMeter({ aggregation: 'unique', property: 'user' }))).toEqual([])
  expect(faultsOf(withMeter({ aggregation: 'unique' }))).toEqual(['#/meters/m/property required'])
  expect(faultsOf(withMeter({ aggregation: 'unique', property: 'quantity' }))).toEqual([
    '#/meters/m/property invalid',
  ])
  for (const aggregation of ['count', 'sum', 'max', 'last', 'timeWeightedSum']) {
    expect(faultsOf(withMeter({ aggregation, property: 'user' }))).toEqual(['#/meters/m/property invalid'])
  }
})

test('a filter is texts by name, whatever their order', () => {
  const meterOf = (filter: object) =>
    defineCatalog(withMeter({ aggregation: 'sum', filter }) as never).meters[0]?.filter
  expect(meterOf({ status: ['201', '200', '200'], app: 'web' })).toEqual({
    app: ['web'],
    status: ['200', '201'],
  })
  for (const filter of [{}, { status: [] }, { status: 200 }, { status: ['200', 1] }, [], 'status']) {
    expect(faultsOf(withMeter({ aggregation: 'sum', filter }))).not.toEqual([])
  }
})

test('no feature is limited by different values or a level', () => {
  for (const meter of [{ aggregation: 'unique', property: 'user' }, { aggregation: 'timeWeightedSum' }]) {
    const features = { seats: { name: 'Seats', kind: 'metered', meter: 'm' } }
    expect(faultsOf({ ...withMeter(meter), features })).toEqual(['#/features/seats/meter invalid'])
  }
})

test('what a meter counts cannot change, as its aggregation', () => {
  const define = (meter: object) => defineCatalog(withMeter(meter) as never)
  const faultOf = (before: object, after: object) => {
    try {
      catalogDiff(define(before), define(after))
      return undefined
    } catch (error) {
      return (error as Problem).faults.map(({ pointer, code }) => `${pointer} ${code}`).join()
    }
  }
  const unique = { aggregation: 'unique', property: 'user' }
  const filtered = { aggregation: 'sum', filter: { status: ['200'] } }
  expect(faultOf(unique, { ...unique, property: 'device' })).toBe('#/meters/m/property fixed')
  expect(faultOf(filtered, { aggregation: 'sum' })).toBe('#/meters/m/filter fixed')
  expect(faultOf(filtered, { ...filtered, filter: { status: ['200', '201'] } })).toBe(
    '#/meters/m/filter fixed',
  )
  expect(faultOf(filtered, { ...filtered, filter: { status: '200' }, name: 'Other' })).toBeUndefined()
})

test('a meter’s aggregation cannot change', () => {
  const meters = cloudHost.meters.map((meter) => ({ ...meter, aggregation: 'last' as const }))
  expect(() => catalogDiff(cloudHost, { ...cloudHost, meters })).toThrow(
    'The meter compute_seconds takes the sum and cannot change',
  )
})

test('a plan gets a new version exactly when its stored text changes, and the words say why', () => {
  fc.assert(
    fc.property(catalogs, catalogs, (a, b) => {
      const wanted = { ...b, meters: a.meters }
      const plans = catalogDiff(a, wanted).filter(({ kind }) => kind === 'plan')
      for (const [i, { action, details }] of plans.entries()) {
        const [before, after] = [a.plans[i], b.plans[i]]
        const same =
          before && after && JSON.stringify(planToJson(before)) === JSON.stringify(planToJson(after))
        expect(action).toBe(same ? 'unchanged' : 'newVersion')
        expect(details.length > 0).toBe(!same)
      }
      expect(catalogDiff(wanted, wanted).every(({ action }) => action === 'unchanged')).toBe(true)
    }),
    { numRuns: 40 },
  )
})
