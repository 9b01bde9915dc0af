import { expect, test } from 'vitest'
import { seeded } from '../support/random.ts'
import { playAdversary } from './lifecycle/adversary.ts'
import { answered } from './lifecycle/answers.ts'
import { gainOf } from './lifecycle/books.ts'
import { newStage } from './lifecycle/stage.ts'

/** A few customers; more: `npm run faults -- adversary --runs 10000`. */
const MOVES = 160
/** For a machine that does much else: nothing is waited for here. */
const timeout = 600_000

test('who switches, ends and begins anew for gain has paid for all that was served', {
  timeout,
}, async () => {
  const { moves, breaches } = await playAdversary({ runs: MOVES, seed: 1 })
  expect(breaches).toEqual([])
  expect(moves).toBeGreaterThanOrEqual(MOVES)
})

test('a voided invoice gives back what the balance paid of it, and is owed whole', { timeout }, async () => {
  const stage = await newStage()
  try {
    const payer = await stage.world.register('seats', '2026-02-10T09:30:00Z', { quantity: 3 })
    const url = `/v1/subscriptions/${payer.subscriptionId}`
    const ask = async (method: 'POST' | 'PATCH', path: string, payload: object) => {
      await answered(stage, { method, url: `${url}${path}`, payload }, 200)
      await stage.settle(seeded(1))
    }
    // Three seats for 21.00 are paid and at once changed for 20.00: the next month's invoice draws 1.00 of credit.
    await ask('PATCH', '', { plan: 'plain', quantity: 1, when: 'now' })
    await ask('POST', '/pause', { collection: 'void' })
    for (const at of ['2026-03-10T09:30:00Z', '2026-03-10T10:30:00Z', '2026-04-10T09:30:00Z']) {
      await stage.world.turn(payer, at)
      await stage.settle(seeded(1))
    }
    const { customer } = payer
    const now = Date.parse('2026-04-10T09:30:00Z') / 1000
    const had = { customer, now, served: 2 * 2000, tried: 0 }
    // Two months were served: 20.00 paid (21.00 kept less 1.00 of credit), and 20.00 never collected.
    expect(await gainOf(stage, had)).toBeUndefined()
    // More than five lines are rounded by.
    expect(await gainOf(stage, { ...had, served: had.served + 3 })).toMatch(/^gained 3 by 5 lines/)
  } finally {
    await stage.close()
  }
})
