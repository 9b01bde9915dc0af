import { expect, test } from 'vitest'
import {
  type Cancellation,
  checkCancellation,
  type Ending,
  endsAlready,
  obstaclesOf,
} from './cancellation.ts'
import { Problem } from './problem.ts'
import { isTerminal, subscriptionStatuses } from './subscription.ts'

const running: Ending = {
  status: 'active',
  collection: 'charging',
  cancelAt: null,
  cancelAtPeriodEnd: false,
  currentPeriodEnd: 1000,
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return [error.code, ...error.faults.map(({ code }) => code)].join(' ')
    throw error
  }
  return 'allowed'
}

const cancel = (ending: Partial<Ending>, wanted: Partial<Cancellation>) =>
  refusal(() =>
    checkCancellation({ ...running, ...ending }, { when: 'now', unusedTime: 'keep', ...wanted }, 500),
  )

test('whatever lives can be ended, and only what was paid is given back', () => {
  for (const status of subscriptionStatuses) {
    const over = isTerminal(status)
    expect([status, cancel({ status }, {})]).toEqual([status, over ? 'subscription_over' : 'allowed'])
    const expected = over ? 'subscription_over' : status === 'active' ? 'allowed' : 'invalid_request not_paid'
    expect([status, cancel({ status }, { unusedTime: 'refund' })]).toEqual([status, expected])
  }
})

test('a date has to come: the second of now has passed', () => {
  expect(cancel({}, { when: 500 })).toBe('invalid_request not_in_future')
  expect(cancel({}, { when: 501 })).toBe('allowed')
  expect(cancel({}, { when: 499, unusedTime: 'credit' })).toBe('invalid_request not_in_future not_unused')
})

test('what is planned already is not planned again; with the period and at its end’s date are two plans', () => {
  const atEnd = { ...running, cancelAt: 1000, cancelAtPeriodEnd: true }
  const keep = { unusedTime: 'keep' } as const
  expect(endsAlready(atEnd, { when: 'periodEnd', ...keep })).toBe(true)
  expect(endsAlready(atEnd, { when: 1000, ...keep })).toBe(false)
  expect(endsAlready({ ...running, cancelAt: 700 }, { when: 700, ...keep })).toBe(true)
  expect(endsAlready({ ...running, cancelAt: 700 }, { when: 'periodEnd', ...keep })).toBe(false)
  expect(endsAlready(atEnd, { when: 'now', ...keep })).toBe(false)
})

test('what is in the way of going on is named, all of it', () => {
  expect(obstaclesOf({ ...running, cancelAt: 700, collection: 'void' })).toEqual({
    ...{ plannedEnd: true, collection: true, pause: false },
  })
  expect(obstaclesOf({ ...running, status: 'paused' })).toMatchObject({ pause: true })
  expect(refusal(() => obstaclesOf(running))).toBe('nothing_to_resume')
  expect(refusal(() => obstaclesOf({ ...running, status: 'canceled' }))).toBe('subscription_over')
})
