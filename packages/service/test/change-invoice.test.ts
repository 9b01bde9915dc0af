import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { nextObservation } from '../src/store/provider-objects.ts'
import { observe } from '../src/workflow/observe.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { team: { name: 'Team' }, compute: { name: 'Compute', unitLabel: 'second' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    team: {
      name: 'Team',
      product: 'team',
      interval: 'month',
      prices: {
        seats: { kind: 'recurring', model: 'perUnit', unitAmount: '20.00' },
        compute: { meter: 'seconds', product: 'compute', model: 'perUnit', unitAmount: '0.01' },
      },
    },
  },
})

const world = await shared(newBillingWorld({ catalog }))

/** Two seats instead of one, now. */
async function addSeat({ subscriptionId }: Payer): Promise<void> {
  const asked = { operation: newId('operation'), requestedBy: 'api_key_test', requestOrigin: null }
  const begun = await beginChange(
    world.deps,
    subscriptionId,
    { quantity: 2, when: 'now' },
    { ...asked, accepted: {}, mayGivePlans: false },
  )
  if (!begun.written) throw new Error('It was begun before.')
  world.workflows.beginAs(begun.written)
  expect((await world.workflows.settled(begun.workflowId, 600)).state).toBe('completed')
}

const current = async (payer: Payer) => amounts(await world.read(payer, 'current'))
const billed = async (payer: Payer) =>
  (await world.story(payer)).filter((line) => line.includes('subscription_update'))

test('what a change billed is not shown as still to be billed, before anybody hears of its invoice', async () => {
  const ada = await world.register('team', '2026-01-10T00:00:00Z')
  await world.turn(ada, '2026-01-25T12:00:00Z')
  await world.deliver()
  // 300 seconds at a cent, told to Stripe: the invoice of the change takes them.
  await world.use(ada, '300', '2026-01-15T00:00:00Z')
  await world.sync(ada)
  const asked = await world.requests(() => addSeat(ada))
  expect(asked.filter((route) => !route.startsWith('GET'))).toEqual(['POST /v1/subscriptions/:id'])

  // 15.5 of 31 days of one more at 20.00, and the usage: 10.00 and 3.00.
  expect(await billed(ada)).toEqual(['2026-01-10 … 2026-01-25 subscription_update paid 1300'])
  const shown = await current(ada)
  expect(shown).toEqual(['4000 Team'])
  const events = await world.newEvents()
  for (const event of events.filter(({ type }) => type.startsWith('invoiceitem.'))) await world.receive(event)
  await world.drain()
  expect(await current(ada)).toEqual(shown)

  // What its events say, in whatever order they come, is known or older, and nobody is asked.
  const rest = events.filter(({ type }) => type.startsWith('invoice.'))
  expect(rest.map(({ type }) => type)).toContain('invoice.finalized')
  const looked = await world.requests(async () => {
    for (const event of rest) {
      await world.receive(event)
      await world.drain()
      expect(await billed(ada)).toEqual(['2026-01-10 … 2026-01-25 subscription_update paid 1300'])
    }
  })
  expect(looked).toEqual([])
  expect(await current(ada)).toEqual(shown)
})

test('whoever heard of the invoice first is not overtaken by the answer', async () => {
  const bob = await world.register('team', '2026-01-10T00:00:00Z')
  await world.turn(bob, '2026-01-25T12:00:00Z')
  await world.deliver()
  await addSeat(bob)
  await world.deliver()
  const before = await billed(bob)
  expect(before).toEqual(['2026-01-10 … 2026-01-25 subscription_update paid 1000'])
  const { invoice } = (await world.atStripe(bob)).at(-1) ?? {}
  if (!invoice) throw new Error('There is no invoice.')
  const object = { ...invoice, status: 'open' as const, amount_paid: 0 }
  const observation = await nextObservation(world.db)
  const late = await observe(world.deps, { type: 'invoice', source: 'enclosed', observation, object })
  expect(late).toEqual({ kind: 'stale' })
  expect(await billed(bob)).toEqual(before)
})
