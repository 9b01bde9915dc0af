import { expect, test } from 'vitest'
import type { PriceModel } from './price.ts'
import { quantityOfSold } from './quantity-of-items.ts'

const prices: Readonly<Record<string, Pick<PriceModel, 'model'>>> = {
  base: { model: 'flat' },
  care: { model: 'flat' },
  seats: { model: 'perUnit' },
}
const of = (key: string) => ({ model: prices[key]?.model ?? 'flat' })

test.each<[string, sold: string[], items: [key: string, quantity: number | null][], number]>([
  [
    'the most of those that come by number',
    ['base', 'seats'],
    [
      ['base', 1],
      ['seats', 4],
    ],
    4,
  ],
  [
    'none, which a flat price beside it does not hide',
    ['base', 'seats'],
    [
      ['base', 1],
      ['seats', 0],
    ],
    0,
  ],
  ['none, where what comes by number has no item', ['base', 'seats'], [['base', 3]], 0],
  ['of a flat price that is sold alone what it says', ['base'], [['base', 3]], 3],
  [
    'one, whatever several flat prices say, each of itself',
    ['base', 'care'],
    [
      ['base', 3],
      ['care', 2],
    ],
    1,
  ],
  ['one, whatever the one says that is left of several', ['base', 'care'], [['base', 3]], 1],
  ['one, where nothing comes by number', ['seats'], [['seats', null]], 1],
  ['what its items say, of one whose prices are not known', [], [['base', 3]], 3],
])('%s', (_, sold, items, expected) => {
  const standing = items.map(([key, quantity]) => ({ ...of(key), quantity }))
  expect(quantityOfSold(sold.map(of), standing)).toBe(expected)
})
