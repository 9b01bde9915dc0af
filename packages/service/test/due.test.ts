import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDue } from '../src/store/due.ts'
import { doDue } from '../src/workflow/due.ts'
import { type BillingWorld, newBillingWorld } from './support/billing-world.ts'

let world: BillingWorld
beforeAll(async () => {
  world = await newBillingWorld()
})
afterAll(() => world.close())

test('whatever stays due, who comes behind it has a turn', async () => {
  const { customerId } = await world.register('plain', '2026-01-10T00:00:00Z')
  const { deps, workflows } = world
  const time = Date.parse('2026-01-01T00:00:00Z') / 1000
  const due = (kind: string, subjectId: string, dueAt: number) =>
    addDue(world.db, { customerId, kind, subjectId, dueAt, at: time })
  // More than one read brings, all of the same second.
  for (let number = 0; number < 250; number += 1) await due('of a newer version', `${number}`, time)
  await due('erase-customer', `${customerId}/behind`, time + 1)
  expect(await doDue({ ...deps, workflows })).toBe(1)
  const settled = await world.db
    .selectFrom('due')
    .select(['kind', 'outcome'])
    .where('settledAt', 'is not', null)
    .execute()
  expect(settled).toEqual([{ kind: 'erase-customer', outcome: 'came back' }])
})
