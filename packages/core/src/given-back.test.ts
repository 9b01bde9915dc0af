import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { type BilledPart, giveBack, newBilledLine, paidFor, standsFor } from './given-back.ts'
import { type Money, money, subtract } from './money.ts'

const usd = (minor: number | bigint): Money => money(BigInt(minor), 'usd')
const part = (amount: number, discounted = 0): BilledPart => ({
  ...{ quantity: null, amount: usd(amount), discounted: usd(discounted) },
})

/** What comes back, and what stays of each part. */
function told(parts: readonly BilledPart[], takenBack: number, step = 1n) {
  const { amount, discounted, stays } = giveBack(parts, usd(takenBack), step)
  expect(amount.minor + discounted.minor).toBe(BigInt(takenBack))
  return [Number(amount.minor), ...stays.map(({ left, off }) => `${left.minor} − ${off.minor}`)]
}

test('a part is told from what it says and from its discount', () => {
  const told = ([amount, discounted]: readonly [number, number]) => {
    const one = part(amount, discounted)
    return [Number(standsFor(one).minor), Number(paidFor(one).minor)]
  }
  expect(told([1000, 400])).toEqual([1000, 600])
  expect(told([-600, 400])).toEqual([-1000, -600])
  // All that it takes back had been taken off.
  expect(told([0, 400])).toEqual([-400, 0])
  expect(told([0, 0])).toEqual([0, 0])
})

test('what was billed at half off gives back half', () => {
  expect(told([part(1000, 500)], 1000)).toEqual([500])
  expect(told([part(1000, 500)], 400)).toEqual([200, '600 − 300'])
})

test('a minimum at 90 % off: 16.12 of 50.00 stay, with 14.508 of 45.00 off', () => {
  expect(told([part(5000, 4500)], 3388)).toEqual([339, '1612 − 1451'])
})

test('an amount goes in proportion, and what was not discounted comes back whole', () => {
  expect(told([part(5000, 500)], 2500)).toEqual([2250, '2500 − 250'])
  expect(told([part(5000)], 2500)).toEqual([2500, '2500 − 0'])
})

test('what was billed last first', () => {
  const billed = [part(3000, 1500), part(2000)]
  expect(told(billed, 1500)).toEqual([1500, '3000 − 1500', '500 − 0'])
  expect(told(billed, 3000)).toEqual([2500, '2000 − 1000'])
  // 20.00 came back whole; what is taken back after that had half off. Billed once more, that goes first.
  expect(told([...billed, part(-2000)], 1000)).toEqual([500, '2000 − 1000'])
  expect(told([...billed, part(-2000), part(700, 70)], 1000)).toEqual([630 + 150, '2700 − 1350'])
})

test('a third of odd cents, in one step or in three', () => {
  // 1.00 with 0.33 off; of 0.67 stays 0.22 off (0.2211), of 0.34 0.11 (0.1122).
  expect(told([part(100, 33)], 33)).toEqual([22, '67 − 22'])
  expect(told([part(100, 33), part(-22, 11)], 33)).toEqual([22, '34 − 11'])
  expect(told([part(100, 33), part(-22, 11), part(-22, 11)], 34)).toEqual([23])
  expect(told([part(100, 33)], 100)).toEqual([67])
})

test('where whole tens are charged it is rounded down, and what is left of that comes with the next', () => {
  // 1.000 with 0.333 off: of 0.500 0.167 are off (0.1665), so 0.334 come back, in tens 0.330; then the rest of 0.667.
  expect(told([part(1000, 333)], 500, 10n)).toEqual([330, '500 − 167'])
  expect(told([part(1000, 333), part(-330, 170)], 500, 10n)).toEqual([330])
})

test('never more than was paid, also where more came back before', () => {
  expect(told([part(1000, 500), part(-1000), part(300, 150)], 300)).toEqual([0])
})

test('what is beyond all that was billed comes back whole, and what is billed after it fills that first', () => {
  expect(told([], 700)).toEqual([700])
  expect(told([part(1000, 500)], 1200)).toEqual([700])
  expect(told([part(-300), part(1000)], 500)).toEqual([500, '200 − 0'])
})

test('a line taken back in any steps gives back what was paid, never more of it, and all in the end', () => {
  const charge = fc
    .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 100 }))
    .map(([amount, percent]) => part(amount, Math.round((amount * percent) / 100)))
  const back = fc.integer({ min: 1, max: 100 })
  fc.assert(
    fc.property(fc.array(fc.oneof(charge, back), { minLength: 1 }), (moves) => {
      const parts: BilledPart[] = []
      const total = (of: (one: BilledPart) => Money) =>
        parts.reduce((all, one) => all + Number(of(one).minor), 0)
      /** The exact worth of what stays, by an own walk in floating point. */
      const layers: { left: number; rate: number }[] = []
      const give = (takenBack: number) => {
        const { amount, discounted } = giveBack(parts, usd(takenBack), 1n)
        parts.push({ quantity: null, amount: subtract(usd(0), amount), discounted })
        for (let missing = takenBack; missing > 0; ) {
          const last = layers.at(-1)
          if (!last) throw new Error('more than there is')
          const taken = Math.min(missing, last.left)
          last.left -= taken
          missing -= taken
          if (last.left === 0) layers.pop()
        }
      }
      for (const move of moves) {
        const left = total(standsFor)
        if (typeof move !== 'number') {
          parts.push(move)
          const [amount, off] = [Number(move.amount.minor), Number(move.discounted.minor)]
          layers.push({ left: amount, rate: (amount - off) / amount })
        } else if (left > 0) give(Math.max(1, Math.floor((left * move) / 100)))
        const worth = layers.reduce((all, { left, rate }) => all + left * rate, 0)
        expect(total(paidFor)).toBeGreaterThanOrEqual(0)
        expect(Math.abs(total(paidFor) - worth)).toBeLessThanOrEqual(0.5 * layers.length + 1e-6)
      }
      const left = total(standsFor)
      if (left > 0) give(left)
      expect([total(standsFor), total(paidFor)]).toEqual([0, 0])
    }),
  )
})

test('whose parts were taken back, and how much was paid for each', () => {
  const line = newBilledLine<string>()
  expect(line.add(1000n, 500n, 'first')).toEqual([])
  line.add(1000n, 0n, 'second')
  expect(line.add(-1500n, 0n, 'third')).toEqual([
    { by: 'second', minor: 1000n, paid: 1000n },
    { by: 'first', minor: 500n, paid: 250n },
  ])
  expect(line.add(-700n, 0n, 'fourth')).toEqual([
    { by: 'first', minor: 500n, paid: 250n },
    { by: null, minor: 200n, paid: 200n },
  ])
  expect(line.worth()).toBe(-200n)
})
