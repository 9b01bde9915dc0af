import { expect, test } from 'vitest'
import { amountDue } from './amount-due.ts'

const dollars = { minimum: 50n, step: 1n }
const fils = { minimum: 1n, step: 10n }

test.each([
  // total, balance, due, balance afterwards
  ['nothing on the balance: all of it', 2000n, 0n, 2000n, 0n, 'charged'],
  ['credit is taken first', 2000n, -500n, 1500n, 0n, 'charged'],
  ['more credit than is owed stays', 2000n, -2500n, 0n, -500n, 'coveredByBalance'],
  ['a debt is paid with it', 2000n, 30n, 2030n, 0n, 'charged'],
  ['less than fifty cents stays owed', 49n, 0n, 0n, 49n, 'belowMinimum'],
  ['fifty cents are charged', 50n, 0n, 50n, 0n, 'charged'],
  ['with what was owed it is enough', 30n, 20n, 50n, 0n, 'charged'],
  ['a total below zero is credit', -700n, 0n, 0n, -700n, 'credited'],
  ['a total below zero pays a debt', -700n, 1000n, 300n, 0n, 'charged'],
  ['nothing owed, nothing due', 0n, 0n, 0n, 0n, 'charged'],
] as const)('%s', (_, total, balance, amount, after, why) => {
  expect(amountDue(total, balance, dollars)).toEqual({ amount, balance: after, why })
})

test('of dinars whole tens are charged, half of one up, and the rest stays on the balance', () => {
  expect(amountDue(1234n, 0n, fils)).toEqual({ amount: 1230n, balance: 4n, why: 'roundedToStep' })
  expect(amountDue(1235n, 0n, fils)).toEqual({ amount: 1240n, balance: -5n, why: 'roundedToStep' })
  expect(amountDue(4n, 0n, fils)).toEqual({ amount: 0n, balance: 4n, why: 'belowMinimum' })
})
