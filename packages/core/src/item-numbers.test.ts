import { expect, test } from 'vitest'
import { areSameNumbers, type ItemNumbers, numberOf, numbersOf, quantityOfSold } from './item-numbers.ts'
import type { PriceModel } from './price.ts'

const models: Readonly<Record<string, PriceModel['model']>> = {
  ...{ base: 'flat', care: 'flat' },
  ...{ seats: 'perUnit', boxes: 'perUnit', rooms: 'graduated' },
}
const of = (...keys: string[]) => keys.map((key) => ({ key, model: models[key] ?? 'flat' }))

test.each<[string, sold: string[], items: [key: string, quantity: number | null][], number, ItemNumbers]>([
  [
    'the most of those that come by number',
    ['base', 'seats'],
    [
      ['base', 1],
      ['seats', 4],
    ],
    4,
    {},
  ],
  [
    'each of several has its own number',
    ['seats', 'boxes'],
    [
      ['seats', 2],
      ['boxes', 5],
    ],
    5,
    { seats: 2 },
  ],
  [
    'none, which a flat price beside it does not hide',
    ['base', 'seats'],
    [
      ['base', 1],
      ['seats', 0],
    ],
    0,
    {},
  ],
  [
    'none, where what comes by number has no item',
    ['base', 'seats'],
    [['base', 3]],
    0,
    { base: 3, seats: null },
  ],
  ['one of two has no item', ['seats', 'boxes'], [['boxes', 5]], 5, { seats: null }],
  ['of a flat price that is sold alone what it says', ['base'], [['base', 3]], 3, {}],
  ['one of a flat price without an item', ['base'], [], 1, { base: null }],
  [
    'one, whatever several flat prices say',
    ['base', 'care'],
    [
      ['base', 3],
      ['care', 1],
    ],
    1,
    { base: 3 },
  ],
  [
    'one, whatever the one says that is left of several',
    ['base', 'care'],
    [['base', 3]],
    1,
    { base: 3, care: null },
  ],
  ['one, where nothing comes by number there', ['seats'], [['seats', null]], 1, {}],
  ['what its items say, of one whose prices are not known', [], [['base', 3]], 3, {}],
])('%s', (_, sold, items, quantity, numbers) => {
  const standing = items.map(([key, number]) => ({ key, quantity: number }))
  expect(quantityOfSold(of(...sold), standing)).toBe(quantity)
  expect(numbersOf(of(...sold), standing, quantity)).toEqual(numbers)
  // And back: each is paid for as often as its item says.
  for (const price of of(...sold)) {
    const item = standing.find(({ key }) => key === price.key)
    expect(numberOf(price, of(...sold), quantity, numbers)).toBe(item ? (item.quantity ?? 1) : null)
  }
})

test('no item is not the same as none of it, nor as what the quantity says', () => {
  expect(areSameNumbers({ rooms: null }, { rooms: 0 })).toBe(false)
  expect(areSameNumbers({ rooms: null }, { seats: null })).toBe(false)
  expect(areSameNumbers({ rooms: null }, { rooms: null })).toBe(true)
})

test('a price may be called like what every object has', () => {
  expect(numberOf({ key: 'constructor', model: 'flat' }, of('base', 'care'), 1)).toBe(1)
})
