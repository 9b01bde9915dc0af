import { expect, test } from 'vitest'
import { catalogDiff, defineCatalog } from './catalog.ts'
import { type Plan, planFromJson, planToJson } from './plan.ts'
import { Problem } from './problem.ts'
import { units } from './quantity.ts'

const written = (features: object, grants: object, seller?: object) => ({
  currency: 'usd',
  ...(seller && { seller }),
  products: { app: { name: 'App' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'sum' } },
  features,
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '9' } },
      grants,
    },
  },
})

const read = (...parts: Parameters<typeof written>) => defineCatalog(written(...parts) as never)

const features = {
  together: { name: 'Together', kind: 'switch' },
  seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' },
  calls: { name: 'Calls', kind: 'metered', meter: 'calls' },
}

function faultsOf(...parts: Parameters<typeof written>): string[] {
  try {
    read(...parts)
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.faults.map(({ pointer, code }) => `${pointer} ${code}`)
  }
}

test('a plan grants a switch, a limit and a quantity of a meter', () => {
  const [plan] = read(features, { together: true, seats: { upTo: null }, calls: { upTo: '1000' } }).plans
  expect(plan?.grants).toEqual([
    { feature: 'calls', kind: 'metered', upTo: units(1000n), beyond: 'refused' },
    { feature: 'seats', kind: 'limit', upTo: null },
    { feature: 'together', kind: 'switch' },
  ])
  expect(planFromJson(JSON.parse(JSON.stringify(planToJson(plan as Plan))))).toEqual(plan)
})

test('every mistake in a grant is told by its place', () => {
  expect(
    faultsOf(
      {
        ...features,
        wrong: { name: 'Wrong', kind: 'metered', meter: 'nix' },
        odd: { name: 'Odd', kind: 'x' },
      },
      {
        together: 'yes',
        seats: { upTo: 5 },
        calls: { upTo: '10', beyond: 'billed' },
        nothing: true,
        wrong: {},
      },
    ),
  ).toEqual([
    '#/features/wrong/meter unknown',
    '#/features/odd/kind invalid',
    '#/plans/team/grants/together invalid',
    '#/plans/team/grants/seats/upTo invalid',
    '#/plans/team/grants/calls/beyond price_missing',
    '#/plans/team/grants/nothing unknown',
    '#/plans/team/grants/wrong/upTo required',
  ])
})

test('what a plan grants is part of its version, told in words', () => {
  const before = read(features, { seats: { upTo: '5' }, together: true })
  const after = read(features, { seats: { upTo: '10' }, calls: { upTo: '1000' } })
  expect(catalogDiff(before, after).filter(({ kind }) => kind === 'plan')).toEqual([
    {
      kind: 'plan',
      key: 'team',
      action: 'newVersion',
      details: [
        'grants/calls: added, up to 1,000 a period, beyond refused',
        'grants/seats: up to 5 → up to 10',
        'grants/together: removed, was yes',
      ],
    },
  ])
})

test('the order in which grants are written makes no new version', () => {
  const before = read(features, { seats: { upTo: '5' }, together: true })
  const after = read(features, { together: true, seats: { upTo: '5.0' } })
  expect(after.plans).toEqual(before.plans)
})

test('the kind and the meter of a feature stay what they are', () => {
  const before = read(features, {})
  const after = read({ ...features, seats: { name: 'Seats', kind: 'switch' } }, {})
  expect(() => catalogDiff(before, after)).toThrow(
    'The kind of the feature seats is limit and cannot change; make a new feature.',
  )
})

test('the seller and the terms are compared like everything else', () => {
  const before = read(features, {}, { name: 'Shop', terms: { version: '1' } })
  const after = read(features, {}, { name: 'Shop', terms: { version: '2', url: 'https://example.com/2' } })
  expect(catalogDiff(before, after)[0]).toEqual({
    kind: 'seller',
    key: 'seller',
    action: 'update',
    details: ['termsVersion: 1 → 2', 'termsUrl: none → https://example.com/2'],
  })
  expect(catalogDiff(before, read(features, {})).filter(({ kind }) => kind === 'seller')).toEqual([
    { kind: 'seller', key: 'seller', action: 'archive', details: [] },
  ])
})
