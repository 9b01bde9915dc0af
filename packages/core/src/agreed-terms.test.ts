import { expect, test } from 'vitest'
import { recurringAmount, termsThatDiffer } from './agreed-terms.ts'
import { defineCatalog } from './catalog.ts'

const [team, yen] = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '9.00' },
        seats: { kind: 'recurring', model: 'perUnit', unitAmount: '2.505' },
      },
    },
    yen: {
      name: 'Yen',
      product: 'app',
      currency: 'jpy',
      interval: 'year',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '500' } },
    },
  },
}).plans

test('a period costs the flat fee once and the seats by number, each line rounded once', () => {
  // 9.00 + 3 × 2.505 = 7.515, which is 7.52.
  expect(team && recurringAmount(team, 3)).toEqual({ minor: 1652n, currency: 'usd' })
  expect(yen && recurringAmount(yen, 1)).toEqual({ minor: 500n, currency: 'jpy' })
})

test.each([
  [{ amount: '16.52', interval: 'month', intervalCount: 1, product: 'app' }, []],
  [{}, []],
  [{ amount: '16.51' }, ['amount']],
  [{ amount: '-16.52' }, ['amount']],
  [{ amount: 'free' }, ['amount']],
  [{ interval: 'year', intervalCount: 3, product: 'other' }, ['interval', 'intervalCount', 'product']],
] as const)('%j differs in %j', (agreed, fields) => {
  expect(
    team && [...termsThatDiffer(agreed, { plan: team, quantity: 3, addons: [] })].map(({ field }) => field),
  ).toEqual(fields)
})
