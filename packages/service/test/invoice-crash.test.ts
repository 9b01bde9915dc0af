import { expect, test } from 'vitest'
import { drainInbox } from '../src/inbox/process.ts'
import { needsSync } from '../src/store/invoices.ts'
import { syncSubscription } from '../src/workflow/sync-invoice.ts'
import { type BillingWorld, newBillingWorld, type Payer } from './support/billing-world.ts'
import { mortalConnection } from './support/mortal.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

/** Runs `work` in a process that is killed after so many statements. True: it came to its end. */
async function killed(statements: number, work: (deps: BillingWorld['deps']) => Promise<unknown>) {
  const connection = mortalConnection(world.url, statements)
  const survived = await work({ ...world.deps, ...connection }).then(
    () => !connection.died(),
    () => false,
  )
  await connection.close()
  return survived
}

async function items(payer: Payer): Promise<string[]> {
  const list = await world.stripe.invoiceItems
    .list({ customer: payer.customer, limit: 100 })
    .autoPagingToArray({ limit: 1000 })
  return list
    .map(({ amount, metadata, invoice }) => {
      const line = metadata?.lockstep_line?.split('.')[1]
      return `${line} r${metadata?.lockstep_revision} ${amount} ${invoice === null ? 'pending' : 'on an invoice'}`
    })
    .sort()
}

async function unsettled(): Promise<unknown[]> {
  const { rows } = await world.pool.query(
    `select id, state from operation where state not in ('succeeded', 'refused')
     union all select origin_invoice_id || ' ' || line_key, state from invoice_item where state = 'intended'`,
  )
  return rows
}

test('killed after any statement, a sync makes one item for each line in the end', async () => {
  for (let statements = 1; ; statements += 1) {
    const at = `after ${statements} statements`
    const payer = await world.register('tiered', '2026-01-10T00:00:00Z')
    await world.turn(payer, '2026-01-20T00:00:00Z')
    await world.deliver()
    const sync = (deps: BillingWorld['deps']) =>
      syncSubscription(deps, payer.subscriptionId, { reason: 'test' })

    await world.use(payer, '90', '2026-01-11T00:00:00Z')
    const made = await killed(statements, sync)
    if (!made) expect(await needsSync(world.db, payer.subscriptionId), at).toBe(true)
    await sync(world.deps)
    expect(await items(payer), at).toEqual(['compute r0 900 pending', 'support r0 290 pending'])

    await world.use(payer, '5', '2026-01-12T00:00:00Z')
    const changed = await killed(statements, sync)
    await sync(world.deps)
    expect(await items(payer), at).toEqual(['compute r0 950 pending', 'support r0 295 pending'])

    expect(await unsettled(), at).toEqual([])
    expect(await needsSync(world.db, payer.subscriptionId), at).toBe(false)
    if (made && changed) {
      expect(statements).toBeGreaterThan(30)
      return
    }
  }
})

test('killed after any statement, and the usage goes on: what was under way is settled first', async () => {
  for (let statements = 12; statements < 40; statements += 3) {
    const at = `after ${statements} statements`
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.turn(payer, '2026-01-20T00:00:00Z')
    await world.deliver()
    await world.use(payer, '10', '2026-01-11T00:00:00Z')
    await killed(statements, (deps) => syncSubscription(deps, payer.subscriptionId, { reason: 'test' }))
    await world.use(payer, '1', '2026-01-11T00:00:00Z')
    await world.sync(payer)
    expect(await items(payer), at).toEqual(['compute r0 11 pending'])
  }
})

test('killed after any statement, and somebody deletes what it made: a day later it is made once', async () => {
  let deleted = 0
  for (let statements = 10; ; statements += 1) {
    const at = `after ${statements} statements`
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.turn(payer, '2026-01-20T00:00:00Z')
    await world.deliver()
    await world.use(payer, '10', '2026-01-11T00:00:00Z')
    const survived = await killed(statements, (deps) =>
      syncSubscription(deps, payer.subscriptionId, { reason: 'test' }),
    )
    const { data } = await world.stripe.invoiceItems.list({ customer: payer.customer })
    for (const { id } of data) await world.stripe.invoiceItems.del(id)
    deleted += data.length
    world.wall.time += 25 * 3600
    world.simulator.control.pruneKeys()

    await syncSubscription(world.deps, payer.subscriptionId, { reason: 'test', looks: true })
    expect(await items(payer), at).toEqual(['compute r0 10 pending'])
    expect(await unsettled(), at).toEqual([])
    if (survived) {
      expect(deleted).toBeGreaterThan(3)
      return
    }
  }
})

const LATE = '10 Seconds: 10 second, reported late for 2026-01-10 to 2026-01-20'

test.each([
  ['at once', 0],
  ['a day later', 25 * 3600],
])(
  'killed after any statement, and somebody deletes the draft of an end: made once, %s',
  async (_, later) => {
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.turn(payer, '2026-01-20T00:00:00Z')
    await world.stripe.subscriptions.cancel(payer.subscription)
    await world.deliver()
    const drafts = async () =>
      (await world.atStripe(payer)).flatMap(({ invoice: { id, status, total }, lines }) =>
        status === 'draft' ? [{ id, total, lines }] : [],
      )
    let deleted = 0
    // Nothing is made before; and what was written down by us is known to be lost.
    for (let statements = 40; ; statements += 1) {
      const at = `after ${statements} statements`
      await world.use(payer, '10', '2026-01-11T00:00:00Z')
      const survived = await killed(statements, (deps) =>
        syncSubscription(deps, payer.subscriptionId, { reason: 'test' }),
      )
      const made = await drafts()
      const known = (await world.invoices(payer)).map(({ providerInvoiceId }) => providerInvoiceId)
      for (const { id } of made) await world.stripe.invoices.del(id)
      deleted += made.length
      world.wall.time += later
      if (later > 0) world.simulator.control.pruneKeys()

      await syncSubscription(world.deps, payer.subscriptionId, { reason: 'test', looks: true })
      const left = await drafts()
      expect(left, at).toEqual([expect.objectContaining({ total: 10, lines: [LATE] })])
      for (const { id } of left) await world.stripe.invoices.finalizeInvoice(id)
      await world.deliver()
      expect(await unsettled(), at).toEqual([])
      if (survived || made.some(({ id }) => known.includes(id))) {
        expect(deleted).toBeGreaterThan(2)
        return
      }
    }
  },
)

test('killed after any statement, the end of a subscription is billed once', async () => {
  // A long way: after every seventh statement of it.
  for (let statements = 3; ; statements += 7) {
    const at = `after ${statements} statements`
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.turn(payer, '2026-01-20T00:00:00Z')
    await world.deliver()
    await world.use(payer, '10', '2026-01-11T00:00:00Z')
    await world.sync(payer)
    await world.use(payer, '3', '2026-01-12T00:00:00Z')
    await world.stripe.subscriptions.cancel(payer.subscription)
    for (const event of await world.newEvents()) await world.receive(event)

    const survived = await killed(statements, drainInbox)
    // Whoever held the claims is dead; nobody waits here until they run out.
    await world.pool.query('update provider_event set claimed_until = null')
    world.wall.time += 600
    await world.deliver()
    await world.sync(payer)
    await world.turn(payer, '2026-01-20T02:00:00Z')
    await world.deliver()
    const [, ...rest] = await world.atStripe(payer)
    expect(
      rest.map(({ invoice, lines }) => `${invoice.status} ${invoice.total} ${lines}`),
      at,
    ).toEqual(['paid 13 13 Seconds: 13 second'])
    expect(await items(payer), at).toEqual(['compute r0 13 on an invoice'])
    expect(await unsettled(), at).toEqual([])
    if (survived) {
      expect(statements).toBeGreaterThan(50)
      return
    }
  }
})
