import { expect, test } from 'vitest'
import { money } from './money.ts'
import { type LineLeft, setOff } from './set-off.ts'

const line = (name: string, minor: number, product = 'cloud') => ({
  ...{ name, product },
  amount: money(BigInt(minor), 'usd'),
})
const never = () => false

function told<L extends LineLeft & { readonly name: string }>(lines: readonly L[], isApart = never) {
  return setOff<L>(lines, isApart).map(
    ({ credit, charge, amount }) => `${credit.name} → ${charge.name} ${amount.minor}`,
  )
}

test('what is given back meets what is charged, as far as the less of both reaches', () => {
  expect(told([line('usage', 6000), line('least', -5000)])).toEqual(['least → usage 5000'])
  expect(told([line('usage', 1000), line('least', -5000)])).toEqual(['least → usage 1000'])
  expect(told([line('usage', 1000), line('least', 4000)])).toEqual([])
  expect(told([line('usage', 0), line('least', -4000)])).toEqual([])
})

test('several of both meet in their order, those of one product first', () => {
  const lines = [
    line('cpu', 700, 'cpu'),
    line('disk', -200),
    line('traffic', 300),
    line('store', 500),
    line('least', -900),
  ]
  // 2.00 of the 3.00; then 1.00 and 5.00 of its own product, and 3.00 of the other.
  expect(told(lines)).toEqual([
    'disk → traffic 200',
    'least → traffic 100',
    'least → store 500',
    'least → cpu 300',
  ])
})

test('what is apart is left alone', () => {
  const lines = [line('cpu', 700, 'cpu'), line('disk', 100, 'disk'), line('least', -500)]
  expect(
    setOff(lines, (_, charge) => charge.product === 'cpu').map(
      ({ charge, amount }) => `${charge.name} ${amount.minor}`,
    ),
  ).toEqual(['disk 100'])
})
