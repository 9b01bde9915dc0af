import { expect, test } from 'vitest'
import fc from '../../../test/support/fast-check.ts'
import { money } from './money.ts'
import { type LineLeft, setOff } from './set-off.ts'

const line = (name: string, minor: number, product = 'cloud', isTied = true) => ({
  ...{ name, product, isTied },
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

test('what is not tied to anything is billed by itself, of one product too', () => {
  expect(told([line('cpu', 700, 'cpu', false), line('disk', -200, 'disk', false)])).toEqual([])
  expect(told([line('cpu', 700, 'cloud', false), line('disk', -200, 'cloud', false)])).toEqual([])
  // Of either side it is enough.
  expect(told([line('cpu', 700, 'cpu', false), line('least', -200)])).toEqual(['least → cpu 200'])
  expect(told([line('least', 700), line('cpu', -200, 'cpu', false)])).toEqual(['cpu → least 200'])
})

test('no more is set off in all than may be', () => {
  const lines = [line('cpu', 700), line('disk', -200), line('store', 500), line('traffic', -900)]
  const most = (minor: bigint) =>
    setOff(lines, never, minor).map(
      ({ credit, charge, amount }) => `${credit.name} → ${charge.name} ${amount.minor}`,
    )
  expect(most(0n)).toEqual([])
  expect(most(150n)).toEqual(['disk → cpu 150'])
  expect(most(800n)).toEqual(['disk → cpu 200', 'traffic → cpu 500', 'traffic → store 100'])
  expect(most(2000n)).toEqual(told(lines))
})

test('what is apart is left alone', () => {
  const lines = [line('cpu', 700, 'cpu'), line('disk', 100, 'disk'), line('least', -500)]
  expect(
    setOff(lines, (_, product) => product === 'cpu').map(
      ({ charge, amount }) => `${charge.name} ${amount.minor}`,
    ),
  ).toEqual(['disk 100'])
})

/** The same by its words: each credit walks all charges, those of its product first. */
function walked(lines: readonly (LineLeft & { readonly name: string })[], apart: ReadonlySet<string>) {
  const due = new Map(lines.map((one) => [one, one.amount.minor]))
  const told: string[] = []
  for (const credit of lines.filter(({ amount }) => amount.minor < 0n)) {
    let back = -credit.amount.minor
    for (const isOwn of [true, false])
      for (const charge of lines) {
        const left = due.get(charge) ?? 0n
        const skipped = isOwn ? false : apart.has(`${credit.product} ${charge.product}`)
        if ((charge.product === credit.product) !== isOwn || skipped || left <= 0n || back === 0n) continue
        const minor = left < back ? left : back
        back -= minor
        due.set(charge, left - minor)
        told.push(`${credit.name} → ${charge.name} ${minor}`)
      }
  }
  return told
}

test('whatever the lines, each credit has met what a walk along all of them would have met', () => {
  const products = ['cloud', 'cpu', 'disk']
  const someLines = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.constantFrom(...products)), {
    maxLength: 30,
  })
  const pairs = products.flatMap((one) => products.map((other) => `${one} ${other}`))
  fc.assert(
    fc.property(someLines, fc.subarray(pairs), (drawn, chosen) => {
      const lines = drawn.map(([minor, product], i) => line(`${i}`, minor, product))
      const apart = new Set(chosen)
      const isApart = (credit: LineLeft, product: string) => apart.has(`${credit.product} ${product}`)
      const met = setOff(lines, isApart)
      const said = met.map(({ credit, charge, amount }) => `${credit.name} → ${charge.name} ${amount.minor}`)
      expect(said).toEqual(walked(lines, apart))
    }),
  )
})

test('ten thousand groups of usage are set off at a few steps a line', () => {
  let looks = 0
  const lines = Array.from({ length: 10_000 }, (_, i) => ({
    ...line(`${i}`, i % 2 === 0 ? 3 : -2),
    // Every comparison of two lines looks at what they are of.
    get product() {
      looks += 1
      return 'cloud'
    },
  }))
  const met = setOff(lines, never)
  // 5,000 credits of 0.02 use up 3,333 charges of 0.03 and a part of the next: each step ends a credit or a charge.
  expect(met.reduce((sum, { amount }) => sum + amount.minor, 0n)).toBe(10_000n)
  expect(met.length).toBeLessThanOrEqual(5_000 + 3_334)
  // A walk along all charges for each credit looks 25 million times.
  expect(looks).toBeLessThan(10 * lines.length)
})
