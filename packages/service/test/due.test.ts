import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { addDue } from '../src/store/due.ts'
import { doDue } from '../src/workflow/due.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

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

test('what waits for the provider is asked for ever less often, and at once when its clock was turned', async () => {
  const { deps, workflows, wall } = world
  const ada = await world.register('plain', '2026-01-10T00:00:00Z')
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  // Hers is planned for the end of the period, and is due though the provider has not come to it.
  const asked = { operation: newId('operation'), requestedBy: 'api_key_test', requestOrigin: null }
  const planned = await beginChange(
    deps,
    ada.subscriptionId,
    { plan: 'tiered', when: 'periodEnd' },
    { ...asked, accepted: {}, mayGivePlans: false },
  )
  if (planned.written) workflows.beginAs(planned.written)
  expect((await workflows.settled(planned.workflowId, 600)).state).toBe('completed')
  await world.pool.query(`update due set due_at = '2026-01-10' where kind = 'planned-change'`)
  // He is to be erased, and the invoice of what he used is not final.
  await world.turn(bob, '2026-01-20T00:00:00Z')
  await world.deliver()
  await world.use(bob, '300', '2026-01-15T00:00:00Z')
  await world.stripe.subscriptions.cancel(bob.subscription)
  await world.deliver()
  const subjectId = `${bob.customerId}/gone`
  const dueAt = wall.time
  await addDue(world.db, { customerId: bob.customerId, kind: 'erase-customer', subjectId, dueAt, at: dueAt })

  const due = () => doDue({ ...deps, workflows })
  const attempts = async () => {
    const { rows } = await world.pool.query<{ attempts: number }>(
      `select attempts from due where settled_at is null and (kind = 'planned-change' or subject_id = $1)`,
      [subjectId],
    )
    return rows.map((row) => row.attempts)
  }
  const began = wall.time
  const asks: number[] = []
  const askedAt = async (seconds: number) => {
    wall.time = began + seconds
    if ((await world.requests(due)).includes('GET /v1/subscriptions/:id')) asks.push(seconds)
  }
  for (let second = 0; second <= 130; second += 1) await askedAt(second)
  // After pauses of 2, 4, 8, 16, 32 and 64 seconds; then 128, 256 and 512, and 10 minutes from there on.
  expect(asks).toEqual([0, 2, 6, 14, 30, 62, 126])
  expect(await attempts()).toEqual([7, 7])
  for (const second of [253, 254, 509, 510, 1021, 1022, 1621, 1622, 2221, 2222]) await askedAt(second)
  expect(asks.slice(7)).toEqual([254, 510, 1022, 1622, 2222])
  expect(await attempts()).toEqual([12, 12])

  // An hour of her own time, and a second of the wall's.
  await world.turn(ada, '2026-01-10T01:00:00Z')
  await world.deliver()
  await askedAt(2223)
  expect(asks.at(-1)).toBe(2223)
  expect((await attempts()).sort((a, b) => a - b)).toEqual([12, 13])
})
