import { afterEach, describe, expect, test } from 'vitest'
import { findDrift } from '../src/workflow/drift/find.ts'
import { repairDrift } from '../src/workflow/drift/repair.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { damaging } from './support/damaging.ts'
import { shared } from './support/shared.ts'

// Seats at 10.00 a month from 10 January: three, and five from 20 February on. Stripe billed three on 10 January and
// 10 February, five on 10 March, and the rest of February's fifth period for the two more.
const world = await shared(newBillingWorld())
const ada = await world.register('seats', '2026-01-10T00:00:00Z', { quantity: 3 })
await world.deliver()
const { sql, story, drifts, mend } = damaging(world, ada)

async function seats(quantity: number, { subscription } = ada): Promise<void> {
  const { items } = await world.stripe.subscriptions.retrieve(subscription)
  await world.stripe.subscriptions.update(subscription, {
    items: [{ id: items.data[0]?.id ?? '', quantity }],
  })
}

async function turn(time: string): Promise<void> {
  await world.turn(ada, time)
  await world.deliver()
}

await turn('2026-02-12T00:00:00Z')
await turn('2026-02-20T00:00:00Z')
await seats(5)
await world.deliver()
await turn('2026-03-12T00:00:00Z')

const rows = async () =>
  (
    await sql(
      `select ordinal, starts_at, ends_at, plan_version_id, quantity, addons, item_numbers, fee, cause
         from subscription_history where subscription_id = $1 order by ordinal`,
      [ada.subscriptionId],
    )
  ).rows
const whole = await rows()

/** Of one stretch, by hands that know what belongs together. */
const alter = (ordinal: number, change: string) =>
  sql(`update subscription_history set ${change} where subscription_id = $1 and ordinal = $2`, [
    ada.subscriptionId,
    ordinal,
  ])

/** The moment at which stretch 1 ends and stretch 2 begins. */
async function boundary(time: string): Promise<void> {
  await sql(
    `with a as (update subscription_history set ends_at = $2 where subscription_id = $1 and ordinal = 1)
     update subscription_history set starts_at = $2, recorded_at = $2 where subscription_id = $1 and ordinal = 2`,
    [ada.subscriptionId, time],
  )
}

afterEach(async () => {
  expect(await drifts()).toEqual([])
  expect(await rows()).toEqual(whole)
})

test('what stands there is what was billed', () => {
  expect(whole.map(({ quantity, fee }) => [quantity, fee])).toEqual([
    [3, 3000n],
    [5, 5000n],
  ])
})

describe('a stretch of the past that somebody altered so that it agrees with itself is written again as it was billed', () => {
  test('the number', async () => {
    await alter(1, 'quantity = 4, fee = 4000')
    const [found] = (await findDrift(world.deps)).drifts
    expect(found).toMatchObject({
      entityId: ada.subscriptionId,
      differences: [
        { field: 'quantity of stretch 1', here: 4, there: 3 },
        { field: 'fee of stretch 1', here: '4000', there: '3000' },
      ],
      reason: expect.stringMatching(/billed.*agreed on in contract_/),
    })
    expect(found?.providerId).toMatch(/^in_/)
    await mend('history differs quantity of stretch 1 fee of stretch 1 changedHere look')
  })

  test('the plan', async () => {
    await alter(
      1,
      `plan_version_id = (select id from plan_version where plan_key = 'plain'), quantity = 1, fee = 2000`,
    )
    await mend('history differs plan of stretch 1 quantity of stretch 1 fee of stretch 1 changedHere look')
  })

  test('of the stretch that goes on', async () => {
    await alter(2, 'quantity = 6, fee = 6000')
    await mend('history differs quantity of stretch 2 fee of stretch 2 changedHere look')
  })

  test('the fee alone, by what was agreed on', async () => {
    await alter(1, 'fee = 1')
    await mend('history differs fee of stretch 1 changedHere look')
  })

  test('both', async () => {
    await alter(1, 'quantity = 30, fee = 30000')
    await alter(2, 'quantity = 50, fee = 50000')
    expect(await drifts()).toEqual([
      'history differs quantity of stretch 1 fee of stretch 1 changedHere look',
      'history differs quantity of stretch 2 fee of stretch 2 changedHere look',
    ])
    expect((await repairDrift(world.deps)).left.drifts).toEqual([])
  })
})

test.each(['2026-02-05T00:00:00Z', '2026-03-11T00:00:00Z'])(
  'other times are told, and nobody’s guess: %s',
  async (time) => {
    await boundary(time)
    const found = await drifts()
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(
      /^history differs quantity of stretch [12] fee of stretch [12] unexplained none$/,
    )
    expect((await repairDrift(world.deps)).left.drifts.map(story)).toEqual(found)
    await boundary('2026-02-20T00:00:00Z')
  },
)

test('where nothing was agreed on, what was billed alone says that it was altered, which is nobody’s guess', async () => {
  await sql(`create table kept as select * from contract`)
  await sql(`set session_replication_role = replica; delete from contract; reset session_replication_role`)
  await alter(1, 'quantity = 4, fee = 4000')
  expect(await drifts()).toEqual(['history differs quantity of stretch 1 fee of stretch 1 unexplained none'])
  await alter(1, 'quantity = 3, fee = 1')
  expect(await drifts()).toEqual(['history differs fee of stretch 1 unexplained none'])
  await alter(1, 'fee = 3000')
  await sql(`insert into contract select * from kept`)
})

test('it takes no request more than the lists that are read anyway', async () => {
  const sound = await world.requests(() => findDrift(world.deps))
  expect(sound.filter((request) => request.includes('invoices'))).toEqual([
    'GET /v1/invoices',
    'GET /v1/invoices',
  ])
})

test('what changed at Stripe and was heard of after it was billed is no drift, nor what came and went unheard', async () => {
  const bob = await world.register('seats', '2026-01-10T00:00:00Z', { quantity: 3 })
  await world.deliver()
  const set = (quantity: number) => seats(quantity, bob)
  // Seven were billed on 10 February, and nine were on 10 March; of both nothing is heard before the end of March.
  await world.turn(bob, '2026-02-05T00:00:00Z')
  await set(7)
  await world.turn(bob, '2026-02-12T00:00:00Z')
  await set(9)
  await world.turn(bob, '2026-03-12T00:00:00Z')
  await set(4)
  const late = await world.newEvents()
  await world.turn(bob, '2026-03-28T00:00:00Z')
  await world.deliver()
  for (const event of late.reverse()) await world.receive(event)
  await world.drain()
  expect(await drifts()).toEqual([])
  await world.turn(bob, '2026-04-12T00:00:00Z')
  await world.deliver()
  expect(await drifts()).toEqual([])

  // Seven and nine are agreed on nowhere, so that nothing explains them beside six; the first invoice and its contract say three.
  await sql(
    `update subscription_history set quantity = 6, fee = 6000 where subscription_id = $1 and ordinal = 1`,
    [bob.subscriptionId],
  )
  await mend('history differs quantity of stretch 1 fee of stretch 1 changedHere look')
})

test('a change that is heard of before its test clock is has its contract and its stretch at one time', async () => {
  const cy = await world.register('seats', '2026-01-10T00:00:00Z', { quantity: 3 })
  await world.deliver()
  await world.turn(cy, '2026-02-15T00:00:00Z')
  await seats(6, cy)
  await world.turn(cy, '2026-03-12T00:00:00Z')
  const events = await world.newEvents()
  for (const event of events) if (event.type.startsWith('customer.subscription')) await world.receive(event)
  await world.drain()
  for (const event of events) await world.receive(event)
  await world.drain()
  const { rows: times } = await sql(
    `select h.recorded_at = c.concluded_at as same from subscription_history h
       join contract c on c.subscription_id = h.subscription_id and c.supersedes is not null
      where h.subscription_id = $1 and h.quantity = 6`,
    [cy.subscriptionId],
  )
  expect(times).toEqual([{ same: true }])
  expect(await drifts()).toEqual([])
})

test('a coupon that was agreed on meanwhile leaves the stretch, and what was altered in it is mended', async () => {
  const dee = await world.register('seats', '2026-01-10T00:00:00Z', { quantity: 3 })
  await world.deliver()
  await world.turn(dee, '2026-02-20T00:00:00Z')
  const { id: coupon } = await world.stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  await world.stripe.subscriptions.update(dee.subscription, { discounts: [{ coupon }] })
  await world.deliver()
  const its = async () =>
    (
      await sql(
        `select ordinal, quantity, fee, (select count(*)::int from contract c where c.subscription_id = $1) as contracts
           from subscription_history where subscription_id = $1`,
        [dee.subscriptionId],
      )
    ).rows
  expect(await its()).toEqual([{ ordinal: 1, quantity: 3, fee: 3000n, contracts: 2 }])
  expect(await drifts()).toEqual([])
  await sql(`update subscription_history set quantity = 4, fee = 4000 where subscription_id = $1`, [
    dee.subscriptionId,
  ])
  await mend('history differs quantity of stretch 1 fee of stretch 1 changedHere look')
  expect(await its()).toEqual([{ ordinal: 1, quantity: 3, fee: 3000n, contracts: 2 }])
})
