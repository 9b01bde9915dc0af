import { beforeEach, expect, test } from 'vitest'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { damaging } from './support/damaging.ts'
import { shared } from './support/shared.ts'

// One customer for all: what is damaged is repaired again before the next.
const world = await shared(newBillingWorld())
const ada = await world.register('plain', '2026-01-10T00:00:00Z')
await world.turn(ada, '2026-01-20T00:00:00Z')
await world.deliver()
beforeEach(async () => {
  expect((await findDrift(world.deps)).drifts).toEqual([])
})

const { sql, story, drifts, mend } = damaging(world, ada)

test('a customer who is there and is said to be deleted', async () => {
  await sql('update customer set deleted_at_provider = now() where id = $1', [ada.customerId])
  await mend('customer differs deleted changedHere look')
})

test('several things that differ of one object are told once each', async () => {
  await sql('update customer set deleted_at_provider = now() where id = $1', [ada.customerId])
  await sql(`update customer_profile set name = 'Ada' where customer_id = $1`, [ada.customerId])
  expect(await drifts()).toEqual([
    'customer differs deleted changedHere look',
    'customer differs name changedHere tell',
  ])
  expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  await world.deliver()
})

test('an issued invoice that lost its link is linked again, and not taken up a second time', async () => {
  const rows = async () =>
    (
      await sql(
        `select id, provider_invoice_id, total, number from invoice where subscription_id = $1 order by id`,
        [ada.subscriptionId],
      )
    ).rows
  const before = await rows()
  await sql(
    `update invoice set provider_invoice_id = null where subscription_id = $1 and finalized_at is not null`,
    [ada.subscriptionId],
  )
  await mend('invoice missingHere unlinked link')
  expect(await rows()).toEqual(before)
})

test('an issued invoice without its link whose customer is another is nobody’s guess', async () => {
  const bob = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  const { rows } = await sql(
    `update invoice set customer_id = $2, provider_invoice_id = null
      where subscription_id = $1 and finalized_at is not null returning id, number`,
    [ada.subscriptionId, bob.customerId],
  )
  const found = 'invoice missingHere unexplained none'
  expect(await drifts()).toEqual([found])
  expect((await repairDrift(world.deps)).left.drifts.map(story)).toEqual([found])
  await sql(`update invoice set customer_id = $2 where id = $1`, [rows[0].id, ada.customerId])
  await mend('invoice missingHere unlinked link')
})

test('what the provider’s meters count, altered here', async () => {
  await sql(
    `update subscription set metered_items = '[{"item": "si_1", "price": "price_1", "end": 1770000000}]' where id = $1`,
    [ada.subscriptionId],
  )
  await mend('subscription differs meteredItems changedHere look')
  const { rows } = await sql('select metered_items from subscription where id = $1', [ada.subscriptionId])
  expect(rows).toEqual([{ metered_items: [] }])
})
