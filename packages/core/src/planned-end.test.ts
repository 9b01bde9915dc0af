import { expect, test } from 'vitest'
import type { Ending } from './cancellation.ts'
import { type Asker, type EndPlanner, refuseToPutOff, refuseToResume } from './planned-end.ts'
import { Problem } from './problem.ts'

const user: EndPlanner = { byUser: true, reason: 'fraud' }
const onTheirWord: EndPlanner = { byUser: false, reason: 'customer' }
const fraud: EndPlanner = { byUser: false, reason: 'fraud' }
const noReason: EndPlanner = { byUser: false, reason: null }
const end = { plannedEnd: true, collection: false, pause: false }

function answer(work: () => void): string {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
  return 'allowed'
}

test('a user takes back an end that is the customer’s own, and no other', () => {
  const resume = (asker: Asker, ...planners: EndPlanner[]) =>
    answer(() => refuseToResume(asker, end, planners))
  expect([resume('user'), resume('user', user), resume('user', user, onTheirWord)]).toEqual(
    Array(3).fill('allowed'),
  )
  expect([resume('user', fraud), resume('user', noReason), resume('user', fraud, user)]).toEqual(
    Array(3).fill('forbidden'),
  )
  expect([resume('key', fraud), resume('admin', fraud)]).toEqual(['allowed', 'allowed'])
})

test('paused collection is resumed by whoever administers', () => {
  const resume = (asker: Asker) => answer(() => refuseToResume(asker, { ...end, collection: true }, []))
  expect([resume('user'), resume('key'), resume('admin')]).toEqual(['forbidden', 'forbidden', 'allowed'])
})

test('a user does not put off an end that is not theirs; the same second is no delay', () => {
  const running = { status: 'active', collection: 'charging', currentPeriodEnd: 1000 } as const
  const at700: Ending = { ...running, cancelAt: 700, cancelAtPeriodEnd: false }
  const atEnd: Ending = { ...running, cancelAt: 1000, cancelAtPeriodEnd: true }
  const move = (ending: Ending, when: 'now' | 'periodEnd' | number, planner = fraud, asker: Asker = 'user') =>
    answer(() => refuseToPutOff(asker, ending, { when, unusedTime: 'keep' }, [planner]))
  expect([move(at700, 701), move(at700, 'periodEnd'), move(atEnd, 1001)]).toEqual(Array(3).fill('forbidden'))
  expect([move(at700, 700), move(at700, 'now'), move(atEnd, 'periodEnd')]).toEqual(Array(3).fill('allowed'))
  expect([move(at700, 701, user), move(at700, 701, fraud, 'key')]).toEqual(['allowed', 'allowed'])
})
