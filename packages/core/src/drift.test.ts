import { expect, test } from 'vitest'
import { type DifferingObject, fieldDifferences, judgeDifference, saysTheSame } from './drift.ts'

test('fields are held against each other by name; what only one side has is not compared', () => {
  const here = { status: 'active', quantity: 2, cancelAt: null, onlyHere: 1 }
  const there = { status: 'past_due', quantity: 2, cancelAt: '2026-01-01T00:00:00Z', onlyThere: 1 }
  expect(fieldDifferences(here, there)).toEqual([
    { field: 'status', here: 'active', there: 'past_due' },
    { field: 'cancelAt', here: null, there: '2026-01-01T00:00:00Z' },
  ])
  expect(fieldDifferences(here, here)).toEqual([])
})

const differs = (entity: DifferingObject['entity'], field: string, more: Partial<DifferingObject> = {}) =>
  judgeDifference({
    entity,
    differences: [{ field, here: 'a', there: 'b' }],
    seenAsItIs: true,
    ...more,
  })

test.each<[string, ReturnType<typeof differs>, string, string | null]>([
  ['a change nobody told of', differs('subscription', 'status', { seenAsItIs: false }), 'missed', 'look'],
  ['a row written by hand', differs('subscription', 'quantity'), 'changedHere', 'look'],
  [
    'over here and running there',
    differs('subscription', 'status', { isOverHere: true }),
    'unexplained',
    null,
  ],
  ['over on both sides', differs('subscription', 'endedAt', { isOverHere: true }), 'changedHere', 'look'],
  ['what is still due', differs('invoice', 'amountPaid', { isFinalThere: true }), 'changedHere', 'look'],
  [
    'the period that was billed',
    differs('invoice', 'periodEnd', { isFinalThere: true }),
    'unexplained',
    null,
  ],
  [
    'final here and a draft there',
    differs('invoice', 'status', { isOverHere: true, isFinalThere: false }),
    'unexplained',
    null,
  ],
  ['who a customer of ours is', differs('customer', 'email', { seenAsItIs: false }), 'changedThere', 'tell'],
  ['who a customer is, as nobody knows why', differs('customer', 'email'), 'unknownSide', 'tell'],
  ['who we say a customer is', differs('customer', 'email', { changed: 'here' }), 'changedHere', 'tell'],
  [
    'who a customer of ours was, renamed there',
    differs('customer', 'email', { changed: 'there' }),
    'changedThere',
    'tell',
  ],
  ['who a customer of theirs is', differs('customer', 'email', { isTheirs: true }), 'changedHere', 'look'],
  ['an item that was sent', differs('invoiceItem', 'amount', { seenAsItIs: null }), 'changedThere', 'sync'],
  ['how often its usage is invoiced', differs('subscription', 'usageInterval'), 'changedThere', 'sync'],
  [
    'the same where no lines are sent',
    differs('subscription', 'usageInterval', { isTold: false }),
    'changedThere',
    null,
  ],
  ['an item where none is sent', differs('invoiceItem', 'amount', { isTold: false }), 'changedThere', null],
])('%s', (_name, verdict, cause, repair) => {
  expect(verdict).toMatchObject({ cause, repair })
})

test('only what differs has to have been seen before', () => {
  const differences = [{ field: 'quantity', here: 9, there: 2 }]
  expect(saysTheSame({ quantity: 2, status: 'trialing' }, differences)).toBe(true)
  expect(saysTheSame({ quantity: 1 }, differences)).toBe(false)
  expect(saysTheSame({}, differences)).toBe(false)
})
