import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { doDue } from '../src/workflow/due.ts'
import { syncSubscription } from '../src/workflow/sync-invoice.ts'
import { type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { mortalConnection } from './support/mortal.ts'
import { shared } from './support/shared.ts'

const catalog = defineCatalog({
  currency: 'usd',
  products: { cloud: { name: 'Cloud' } },
  meters: { seconds: { name: 'Seconds', unitLabel: 'second', aggregation: 'sum' } },
  plans: {
    annual: {
      name: 'Annual',
      product: 'cloud',
      interval: 'year',
      usageInterval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '120.00' },
        compute: { meter: 'seconds', model: 'perUnit', unitAmount: '0.10' },
      },
    },
  },
})

const world = await shared(newBillingWorld({ catalog }))

type Deps = BillingWorld['deps']

/** Runs `work` in a process that is killed after so many statements. True: it came to its end. */
async function killed(statements: number, work: (deps: Deps) => Promise<unknown>): Promise<boolean> {
  const connection = mortalConnection(world.url, statements)
  const survived = await work({ ...world.deps, ...connection }).then(
    () => !connection.died(),
    () => false,
  )
  await connection.close()
  return survived
}

const due = (deps: Deps) => doDue({ ...deps, workflows: world.workflows })

async function story(payer: Payer): Promise<string[]> {
  return (await world.story(payer)).slice(1).map((line) => line.replace('subscription_cycle ', ''))
}

test('killed after any statement, a month turns once, whoever tells first', async () => {
  for (let statements = 1; ; statements += 2) {
    const at = `after ${statements} statements`
    const payer = await world.register('annual', '2026-01-31T00:00:00Z')
    await world.turn(payer, '2026-02-10T00:00:00Z')
    await world.deliver()
    await world.use(payer, '10', '2026-02-01T00:00:00Z')
    await world.sync(payer)
    await world.turn(payer, '2026-02-28T00:00:00Z')
    // In every second run the draft is heard of before the month has turned.
    if (statements % 4 === 1) await world.deliver()
    else await world.receive((await world.newEvents()).find(({ type }) => type.endsWith('clock.ready')) ?? {})
    await world.drain()
    const survived = await killed(statements, due)
    await due(world.deps)
    await world.deliver()
    await world.sync(payer)
    expect(await story(payer), at).toEqual([
      '2026-01-31 … 2026-02-28 closing -',
      '2026-02-28 … 2026-03-31 current -',
    ])
    await world.turn(payer, '2026-02-28T02:00:00Z')
    await world.deliver()
    expect((await story(payer))[0], at).toBe('2026-01-31 … 2026-02-28 paid 100')
    if (survived) {
      // So many statements a turn has at least, the look before it among them.
      expect(statements).toBeGreaterThan(6)
      return
    }
  }
})

test('killed after any statement, a sync sets the interval once', async () => {
  const payer = await world.register('annual', '2026-01-31T00:00:00Z')
  await world.deliver()
  await world.sync(payer)
  const sync = (deps: Deps) => syncSubscription(deps, payer.subscriptionId, { reason: 'test' })
  const standing = () => world.stripe.subscriptions.retrieve(payer.subscription)
  for (let statements = 1; ; statements += 2) {
    const at = `after ${statements} statements`
    await world.stripe.subscriptions.update(payer.subscription, { pending_invoice_item_interval: '' })
    await world.deliver()
    await world.use(payer, '1', '2026-01-31T00:00:00Z')
    const survived = await killed(statements, sync)
    await sync(world.deps)
    const { pending_invoice_item_interval: interval } = await standing()
    expect(interval, at).toEqual({ interval: 'month', interval_count: 1 })
    const { rows } = await world.pool.query(
      `select id from operation where state not in ('succeeded', 'refused')`,
    )
    expect(rows, at).toEqual([])
    if (survived) {
      expect(statements).toBeGreaterThan(15)
      return
    }
  }
})
