import { expect, test } from 'vitest'
import { money } from './money.ts'
import { type SentPart, takenBack } from './taken-back.ts'

const usd = (minor: number) => money(BigInt(minor), 'usd')
const period = { start: 0, end: 86_400 }
const part = (of: string, minor: number, net = minor): SentPart => ({
  ...{ of, period },
  ...{ amount: usd(minor), net: usd(net) },
})

function told(documents: Record<string, readonly SentPart[]>) {
  const back = takenBack(Object.entries(documents).map(([id, parts]) => ({ id, parts })))
  return [...back].flatMap(([id, lines]) =>
    lines.map(({ amount, credits }) => `${id}: ${amount.minor} of ${credits}`),
  )
}

test('what is corrected gives back of the document that billed the line', () => {
  expect(
    told({ first: [part('cpu', 5000)], second: [part('disk', 700)], third: [part('cpu', -5000)] }),
  ).toEqual(['third: -5000 of first'])
})

test('of several the last one first, and beyond all of them of none', () => {
  const billed = { first: [part('cpu', 300)], second: [part('cpu', 200)] }
  expect(told({ ...billed, third: [part('cpu', -250)] })).toEqual([
    'third: -200 of second',
    'third: -50 of first',
  ])
  expect(told({ ...billed, third: [part('cpu', -250)], fourth: [part('cpu', -300)] })).toEqual([
    'third: -200 of second',
    'third: -50 of first',
    'fourth: -250 of first',
    'fourth: -50 of null',
  ])
})

test('tax that stands on top is shared like the parts, and adds up', () => {
  // 1.00 and 19 cents of tax over 0.33 and 0.67: 0.3927 and 0.7973 of 1.19.
  expect(
    told({ first: [part('cpu', 67)], second: [part('cpu', 33)], third: [part('cpu', -100, -119)] }),
  ).toEqual(['third: -40 of second', 'third: -79 of first'])
})

test('billed once more after a correction, it is that which a later one takes back', () => {
  expect(
    told({
      first: [part('cpu', 500)],
      second: [part('cpu', -500)],
      third: [part('cpu', 400)],
      fourth: [part('cpu', -100)],
    }),
  ).toEqual(['second: -500 of first', 'fourth: -100 of third'])
})
