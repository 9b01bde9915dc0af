import { expect, test } from 'vitest'
import { listHistory } from '../src/store/subscription-history.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

// What happens in the second of a boundary has no order that its time could tell. Whatever order it
// happened in, and whatever order we hear of it in, we end where the provider ended.

const world = await shared(newBillingWorld())

type Deed = (payer: Payer) => Promise<unknown>
const deeds: Readonly<Record<string, Deed>> = {
  cancel: ({ subscription }) => world.stripe.subscriptions.cancel(subscription),
  pause: ({ subscription }) =>
    world.stripe.subscriptions.update(subscription, { pause_collection: { behavior: 'void' } }),
  plan: ({ subscription }) => world.stripe.subscriptions.update(subscription, { cancel_at_period_end: true }),
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  )
}

/** Cancel last: what is over takes nothing more. */
const orders = permutations(Object.keys(deeds)).filter((order) => order.at(-1) === 'cancel')
const deliveries = {
  'in order': <T>(events: T[]) => events,
  backwards: <T>(events: T[]) => events.toReversed(),
  'twice, from the middle': <T>(events: T[]) => {
    const middle = Math.floor(events.length / 2)
    return [...events.slice(middle), ...events.slice(0, middle), ...events]
  },
}
const boundaries = [
  { what: 'trial end', plan: 'trying', at: '2026-01-24T00:00:00Z' },
  { what: 'renewal', plan: 'plain', at: '2026-02-10T00:00:00Z' },
] as const

const cases = boundaries.flatMap((boundary) =>
  orders.flatMap((order) =>
    Object.entries(deliveries).map(([how, deliver]) => ({ ...boundary, order, how, deliver })),
  ),
)

test.each(cases)('$what, then $order, heard of $how', async ({ plan, at, order, deliver }) => {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.turn(payer, at)
  for (const name of order) await deeds[name]?.(payer)
  for (const event of deliver(await world.newEvents())) await world.receive(event)
  await world.drain()
  await world.deliver()
  const theirs = await world.stripe.subscriptions.retrieve(payer.subscription)
  const ours = await world.db
    .selectFrom('subscription')
    .selectAll()
    .where('id', '=', payer.subscriptionId)
    .executeTakeFirstOrThrow()
  const moment = Date.parse(at) / 1000
  expect([ours.status, ours.endedAt, theirs.status, theirs.ended_at]).toEqual([
    'canceled',
    moment,
    'canceled',
    moment,
  ])
  const history = await listHistory(world.db, payer.subscriptionId, { limit: 100 })
  expect(history[0]).toMatchObject({ status: 'canceled', startsAt: moment, endsAt: Number.POSITIVE_INFINITY })
  expect(history.at(-1)).toMatchObject({ cause: 'registration' })
})

// The event before the end of a trial says that it is on trial, and so do we: that confirms nothing beside an end.
test.each(['in order', 'backwards'] as const)(
  'what tells nothing new does not hide what ended in its second, heard of %s',
  async (how) => {
    const payer = await world.register('trying', '2026-01-10T00:00:00Z')
    await world.deliver()
    // Three days before the trial is over: https://docs.stripe.com/billing/subscriptions/trials
    await world.turn(payer, '2026-01-21T00:00:00Z')
    await deeds.cancel?.(payer)
    const events = await world.newEvents()
    const told = events.filter(({ type }) => type.startsWith('customer.subscription'))
    expect(told.map(({ type, created }) => [type, created])).toEqual([
      ['customer.subscription.trial_will_end', Date.parse('2026-01-21T00:00:00Z') / 1000],
      ['customer.subscription.deleted', Date.parse('2026-01-21T00:00:00Z') / 1000],
    ])
    for (const event of deliveries[how](events)) await world.receive(event)
    await world.drain()
    const { rows } = await world.pool.query(
      'select status, ended_at is not null as "isOver" from subscription where id = $1',
      [payer.subscriptionId],
    )
    expect(rows).toEqual([{ status: 'canceled', isOver: true }])
  },
)

test('a planned end that falls on a renewal comes first: nothing is renewed', async () => {
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.stripe.subscriptions.update(payer.subscription, {
    cancel_at: Date.parse('2026-02-10T00:00:00Z') / 1000,
  })
  await world.turn(payer, '2026-02-10T00:00:00Z')
  await world.deliver()
  await world.turn(payer, '2026-02-10T03:00:00Z')
  await world.deliver()
  const fees = (await world.atStripe(payer))
    .flatMap(({ lines }) => lines)
    .filter((line) => line.includes('Cloud'))
  expect(fees).toHaveLength(1)
})
