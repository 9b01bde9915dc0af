import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { idOf } from '../src/provider/stripe/field.ts'
import type { Drift } from '../src/workflow/drift/drift.ts'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { lookAt } from '../src/workflow/look.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// A planned change is carried out by a schedule at Stripe; what stands here of it is what customers are shown, and when it is
// looked for.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: { basic: flatPlan('Basic', '10.00'), premium: flatPlan('Premium', '25.00') },
})
const { installation } = await sharedInstallation(catalog)
const stripe = () => installation.deps.provider.stripe
const sql = (text: string, values: unknown[] = []) => installation.database.pool.query(text, values)
const story = ({ entity, kind, cause, repair, differences }: Drift) =>
  [entity, kind, ...differences.map(({ field }) => field), cause, repair ?? 'none'].join(' ')

async function planned() {
  const ada = await newSubscriber(installation, 'premium', {})
  expect(await ada.change({ plan: 'basic' })).toMatchObject({ status: 200 })
  await ada.turn('2026-01-02T00:00:00Z')
  const { schedule } = await stripe().subscriptions.retrieve(String((await ada.read()).providerId))
  // As the event of it has it looked at.
  await lookAt(installation.deps, { type: 'subscription_schedule', id: idOf(schedule ?? '') })
  expect((await findDrift(installation.deps)).drifts).toEqual([])
  const read = async () => {
    const { rows } = await sql(
      `select c.id, c.due_at, c.state, c.origin, c.plan_version_id, c.quantity::int, c.direction, d.due_at as due
       from plan_change c join due d on d.kind = 'planned-change' and d.subject_id = c.id
       where c.subscription_id = $1`,
      [ada.id],
    )
    return rows
  }
  return { ada, read }
}

test.each([
  ['its date, to an earlier one', `due_at = due_at - interval '20 days'`, 'dueAt'],
  ['its date, to a later one', `due_at = due_at + interval '300 days'`, 'dueAt'],
  ['its number', 'quantity = 7', 'quantity'],
])('altered here, it is again what its schedule says, and stays ours: %s', async (_name, harm, field) => {
  const { ada, read } = await planned()
  const before = await read()
  expect(before).toHaveLength(1)
  await sql(`update plan_change set ${harm} where id = $1`, [before[0].id])
  await sql(
    `update due set due_at = (select due_at from plan_change where id = subject_id) where subject_id = $1`,
    [before[0].id],
  )
  const { drifts } = await findDrift(installation.deps)
  expect(drifts.map(story)).toEqual([`plannedChange differs ${field} changedHere look`])
  const { repairs, left } = await repairDrift(installation.deps)
  expect(repairs.map(({ refused }) => refused)).toEqual([null])
  expect(left.drifts).toEqual([])
  expect(await read()).toEqual(before)
  await ada.turn('2026-02-01T02:00:00Z')
  expect(await ada.read()).toMatchObject({ plan: 'basic', quantity: 1, scheduledChange: null })
  expect((await ada.invoices()).at(-1)).toBe('subscription_cycle 1000 paid')
})
