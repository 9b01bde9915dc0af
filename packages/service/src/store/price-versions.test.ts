import { expect, test } from 'vitest'
import { quantityOf } from './price-versions.ts'

const versions = new Map([
  ['base', { versionId: 'team', isFlat: true, key: 'base' }],
  ['care', { versionId: 'team', isFlat: true, key: 'care' }],
  ['seats', { versionId: 'team', isFlat: false, key: 'seats' }],
  ['other', { versionId: 'solo', isFlat: false, key: 'seats' }],
])

test.each<[string, [price: string, quantity: number | null][], number | undefined]>([
  [
    'the most of those that come by number',
    [
      ['base', 1],
      ['seats', 4],
      ['other', 9],
    ],
    4,
  ],
  [
    'none, which a flat price beside it does not hide',
    [
      ['base', 1],
      ['seats', 0],
    ],
    0,
  ],
  ['of flat prices alone what they say', [['base', 1]], 1],
  [
    'one, whatever several flat prices say, each of itself',
    [
      ['base', 3],
      ['care', 2],
    ],
    1,
  ],
  ['one, where nothing comes by number', [['seats', null]], 1],
  ['nothing, where no price is of the version', [['other', 2]], undefined],
])('%s', (_, items, expected) => {
  const standing = items.map(([price, quantity]) => ({ price, quantity }))
  expect(quantityOf(standing, versions, 'team')).toBe(expected)
})
