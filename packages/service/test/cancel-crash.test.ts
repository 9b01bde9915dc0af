import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { drainInbox } from '../src/inbox/process.ts'
import { cancelSubscription } from '../src/workflow/deeds/cancel.ts'
import { doDue } from '../src/workflow/due.ts'
import { workflowKinds } from '../src/workflow/kinds.ts'
import { makeWorkflows, type Workflows } from '../src/workflow/workflows.ts'
import { newBillingWorld, type Payer } from './support/billing-world.ts'
import { mortalConnection } from './support/mortal.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

/** Every so many statements dies one: each of them would take minutes. */
const STRIDE = 11

interface Wish {
  readonly subscriptionId: string
  readonly wanted: { readonly when: 'now'; readonly unusedTime: 'credit' }
  readonly actor: string
  readonly asks: 'admin'
  readonly reason: null
  readonly operation: string
}

/** A process that dies after so many statements on its way through an end. True: it did. */
async function diesAt(statements: number, wish: Wish): Promise<boolean> {
  const connection = mortalConnection(world.url, statements)
  const deps = { ...world.deps, ...connection }
  const workflows: Workflows = makeWorkflows(
    deps,
    workflowKinds({
      ...deps,
      drainInbox: () => drainInbox(deps),
      doDue: (testClock) => doDue({ ...deps, workflows }, { testClock }),
    }),
  )
  await cancelSubscription({ ...deps, workflows }, wish).catch(() => {})
  await workflows.close()
  await connection.close()
  return connection.died()
}

/** Somebody looks after the lease has run out, without waiting for it. */
async function recover(): Promise<void> {
  await world.pool.query(
    `update workflow set lease_until = clock_timestamp() - interval '1 second', next_attempt_at = null
      where ended_at is null`,
  )
  await world.workflows.resumeDue()
}

/** Twice as much of it, in the dashboard, and paid. */
async function double(payer: Payer): Promise<void> {
  const { items } = await world.stripe.subscriptions.retrieve(payer.subscription)
  await world.stripe.subscriptions.update(payer.subscription, {
    items: [{ id: items.data[0]?.id ?? '', quantity: 2 }],
    proration_behavior: 'always_invoice',
  })
  await world.deliver()
}

const creditedEnd = ({ subscriptionId }: Payer): Wish => ({
  ...{ subscriptionId, wanted: { when: 'now', unusedTime: 'credit' } },
  ...{ actor: 'test', asks: 'admin', reason: null, operation: newId('operation') },
})

async function look({ subscription, customer }: Payer) {
  const { status } = await world.stripe.subscriptions.retrieve(subscription)
  const { data: notes } = await world.stripe.creditNotes.list({ customer })
  const { data: invoices } = await world.stripe.invoices.list({ customer })
  const usage = invoices
    .flatMap(({ lines }) => lines.data)
    .filter(({ description }) => description?.includes('Seconds'))
  const { data: pending } = await world.stripe.invoiceItems.list({ customer, pending: true })
  return {
    status,
    credited: notes.map(({ amount }) => amount),
    billed: usage.map(({ amount }) => amount),
    pending: pending.length,
  }
}

test('killed anywhere on the way, an end is brought to its end: once ended, once billed, once credited', async () => {
  let deaths = 0
  for (let statements = 1; ; statements += STRIDE) {
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.deliver()
    await world.turn(payer, '2026-01-20T12:00:00Z')
    await world.deliver()
    await world.use(payer, '300', '2026-01-15T00:00:00Z')
    const wish = creditedEnd(payer)
    const died = await diesAt(statements, wish)
    await recover()
    const settled = await cancelSubscription({ ...world.deps, workflows: world.workflows }, wish)
    expect([statements, settled]).toMatchObject([
      statements,
      { state: 'done', result: { givenBack: { amount: '1323', problem: null } } },
    ])
    await world.deliver()
    // 13.23 by hand: 20.5 of 31 days of 20.00.
    expect([statements, await look(payer)]).toEqual([
      statements,
      { status: 'canceled', credited: [1323], billed: [300], pending: 0 },
    ])
    const history = await world.db
      .selectFrom('subscriptionHistory')
      .select(['status', 'cause'])
      .where('subscriptionId', '=', payer.subscriptionId)
      .orderBy('ordinal')
      .execute()
    expect([statements, history]).toEqual([
      statements,
      [
        { status: 'active', cause: 'registration' },
        { status: 'canceled', cause: 'cancel' },
      ],
    ])
    if (!died) break
    deaths += 1
  }
  expect(deaths).toBeGreaterThan(3)
})

test('killed between two credit notes, each of them is made once', async () => {
  let deaths = 0
  for (let statements = 1; ; statements += STRIDE) {
    const payer = await world.register('plain', '2026-01-10T00:00:00Z')
    await world.turn(payer, '2026-01-20T12:00:00Z')
    await world.deliver()
    await double(payer)
    const wish = creditedEnd(payer)
    const died = await diesAt(statements, wish)
    await recover()
    const settled = await cancelSubscription({ ...world.deps, workflows: world.workflows }, wish)
    // 20.5 of 31 days are left, 13.23 of 20.00 and 26.45 of 40.00: for the other half 13.22 were paid.
    expect([statements, settled]).toMatchObject([
      statements,
      { state: 'done', result: { givenBack: { amount: '2645', problem: null, withheld: [] } } },
    ])
    const { status, credited } = await look(payer)
    expect([statements, status, credited.toSorted((a, b) => a - b)]).toEqual([
      statements,
      'canceled',
      [1322, 1323],
    ])
    const notes = await world.db
      .selectFrom('creditNote')
      .select(['status', 'credited'])
      .where('customerId', '=', payer.customerId)
      .orderBy('credited')
      .execute()
    expect([statements, notes]).toEqual([
      statements,
      [
        { status: 'issued', credited: 1322n },
        { status: 'issued', credited: 1323n },
      ],
    ])
    if (!died) break
    deaths += 1
  }
  expect(deaths).toBeGreaterThan(3)
})
