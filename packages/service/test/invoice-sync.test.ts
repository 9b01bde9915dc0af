import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { transaction } from '../src/postgres/transaction.ts'
import { markPictured, markSynced, needsSync, readInvoiceRows } from '../src/store/invoices.ts'
import { planSync, syncSubscription } from '../src/workflow/sync-invoice.ts'
import { amounts, newBillingWorld, type Payer } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

async function go(payer: Payer, time: string) {
  await world.turn(payer, time)
  await world.deliver()
}

async function subscribed(plan: string): Promise<Payer> {
  const payer = await world.register(plan, '2026-01-10T00:00:00Z')
  await world.deliver()
  await go(payer, '2026-01-20T00:00:00Z')
  return payer
}

async function pending(payer: Payer): Promise<Stripe.InvoiceItem[]> {
  return world.stripe.invoiceItems
    .list({ customer: payer.customer, pending: true, limit: 100 })
    .autoPagingToArray({ limit: 1000 })
}

const shown = (items: Stripe.InvoiceItem[]) =>
  items
    .map(({ amount, description, metadata }) => `${amount} ${description} r${metadata?.lockstep_revision}`)
    .sort()

test('usage is taken in while invoices are rated for a sync, and asks for another one', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  const reader = await world.pool.connect()
  await reader.query('begin')
  // Rating reads adjustments, and ingest does not: so rating takes as long as we like.
  await reader.query('lock table adjustment in access exclusive mode')
  const synced = world.sync(payer)
  const isDirty = async () =>
    (await world.invoices(payer)).findLast(({ status }) => status === 'current')?.dirty
  await expect.poll(isDirty, { timeout: 60_000 }).toBe(false)
  // Answered although nobody lets the rating go on.
  await world.use(payer, '50', '2026-01-12T00:00:00Z')
  expect(await isDirty()).toBe(true)
  await reader.query('rollback')
  reader.release()
  await synced
  expect(shown(await pending(payer))).toEqual([expect.stringMatching(/^100 /)])
  await world.sync(payer)
  expect(shown(await pending(payer))).toEqual([expect.stringMatching(/^150 /)])
  expect(await world.requests(() => world.sync(payer))).toEqual([])
})

test('an item is made, changed and removed, each by one call; a second sync makes none', async () => {
  const payer = await subscribed('plain')
  const LIST = 'GET /v1/invoiceitems'
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  expect(await world.requests(() => world.sync(payer))).toEqual([LIST, 'POST /v1/invoiceitems'])
  expect(await world.requests(() => world.sync(payer))).toEqual([])
  const [item] = await pending(payer)
  expect(item).toMatchObject({
    amount: 100,
    currency: 'usd',
    quantity: 1,
    period: { start: 1768003200, end: 1770681600 },
    metadata: {
      lockstep_subscription: payer.subscriptionId,
      lockstep_customer: payer.customerId,
      lockstep_revision: '0',
      lockstep_quantity: '100',
    },
  })
  expect(item?.pricing?.price_details?.product).toBeTruthy()

  await world.use(payer, '1.5', '2026-01-11T00:00:00Z')
  expect(await world.requests(() => world.sync(payer))).toEqual([LIST, 'POST /v1/invoiceitems/:id'])
  expect(shown(await pending(payer))).toEqual(['102 Seconds: 101.5 second r0'])
  expect(await world.requests(() => world.sync(payer))).toEqual([])

  // Something that nobody wants any more: left behind by a database that was restored, say.
  const lost = await world.stripe.invoiceItems.create({
    customer: payer.customer,
    subscription: payer.subscription,
    amount: 5,
    currency: 'usd',
    metadata: { ...item?.metadata, lockstep_line: `${item?.metadata?.lockstep_line}-gone` },
  })
  await world.use(payer, '0', '2026-01-11T00:00:00Z')
  expect(await world.requests(() => world.sync(payer))).toEqual([LIST, 'DELETE /v1/invoiceitems/:id'])
  expect((await pending(payer)).map(({ id }) => id)).not.toContain(lost.id)
})

test('going back to an earlier amount is a new call, not the replay of an old answer', async () => {
  const payer = await subscribed('leveled')
  for (const [minute, level] of ['10', '11', '10', '11', '10'].entries()) {
    await world.use(payer, level, `2026-01-11T00:0${minute}:00Z`, 'level')
    await world.sync(payer)
    expect(shown(await pending(payer))).toEqual([`${level} Level: ${level} unit r0`])
  }
})

test('what others put there is left alone, and what was changed by hand is put right', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  const [ours] = await pending(payer)
  await world.stripe.invoiceItems.update(ours?.id ?? '', { amount: 99_999 })
  const theirs = await world.stripe.invoiceItems.create({
    customer: payer.customer,
    subscription: payer.subscription,
    amount: -700,
    currency: 'usd',
    description: 'Goodwill',
  })
  await world.use(payer, '1', '2026-01-11T00:00:00Z')
  const plan = await world.sync(payer)
  expect(plan?.foreign.map(({ id }) => id)).toEqual([theirs.id])
  expect((await pending(payer)).map(({ amount }) => amount).sort((a, b) => a - b)).toEqual([-700, 101])
})

test('a dry run says what would be done, and does nothing', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  const calls = await world.requests(async () => {
    const plan = await planSync(world.deps, payer.subscriptionId)
    expect(plan?.create.map(({ item }) => item.description)).toEqual(['Seconds: 100 second'])
    expect(plan?.calls).toBe(1)
  })
  expect(calls).toEqual(['GET /v1/invoiceitems'])
  expect(await pending(payer)).toEqual([])
  expect((await world.read(payer, 'current')).invoice).toMatchObject({ dirty: true, syncedAt: null })
})

test('an invoice that swallows pending items in mid-cycle bills them once; the tiers go on where they were', async () => {
  const payer = await subscribed('tiered')
  await world.use(payer, '90', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  // 90 at 0.10, and 10 % of 9.00 and the fee of 20.00.
  expect(shown(await pending(payer))).toEqual(['290 Support, 10 % r0', '900 Seconds: 90 second r0'])
  const manual = await world.stripe.invoices.create({
    customer: payer.customer,
    subscription: payer.subscription,
    pending_invoice_items_behavior: 'include',
  })
  // More comes while they stand on somebody's draft: they are kept right where they are.
  await world.use(payer, '5', '2026-01-12T00:00:00Z')
  await world.sync(payer)
  const onDraft = await world.stripe.invoiceItems.list({ invoice: manual.id })
  expect(shown(onDraft.data)).toEqual(['295 Support, 10 % r0', '950 Seconds: 95 second r0'])
  await world.stripe.invoices.finalizeInvoice(manual.id)
  await world.deliver()

  await world.use(payer, '20', '2026-01-13T00:00:00Z')
  // 115 are 100 at 0.10 and 15 at 0.01: 10.15, of which 9.50 are billed; support 3.02 (30.15), less 2.95.
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '65 Seconds: 20 second, beyond what was billed before',
    '7 Support, 10 %, beyond what was billed before',
    '2000 Tiered',
  ])
  await world.sync(payer)
  expect(shown(await pending(payer))).toEqual([
    '65 Seconds: 20 second, beyond what was billed before r1',
    '7 Support, 10 %, beyond what was billed before r1',
  ])
  await go(payer, '2026-02-10T00:00:00Z')
  await go(payer, '2026-02-10T02:00:00Z')
  const totals = (await world.atStripe(payer)).map(({ invoice }) => invoice.total)
  expect(totals).toEqual([2000, 1245, 2072])
})

test('swallowed without a word, they are looked for; nothing is assumed', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  const manual = await world.stripe.invoices.create({
    customer: payer.customer,
    subscription: payer.subscription,
    pending_invoice_items_behavior: 'include',
  })
  await world.stripe.invoices.finalizeInvoice(manual.id)
  // No event of it comes.
  await world.newEvents()
  await world.use(payer, '11', '2026-01-12T00:00:00Z')
  await world.sync(payer)
  expect(shown(await pending(payer))).toEqual(['11 Seconds: 11 second, beyond what was billed before r1'])
})

async function refused(payer: Payer) {
  await expect(world.sync(payer)).rejects.toThrow('provider_refused')
  return (await world.read(payer, 'current')).invoice.syncProblem
}

test('a line that Stripe does not take holds up no other, and is named', async () => {
  const payer = await subscribed('tiered')
  // 100 × 0.10 + 199,999,900 × 0.01 = 2,000,009.00, more than Stripe charges at once; a tenth of that and of the fee
  // is 200,002.90, which it does take.
  await world.use(payer, '200000000', '2026-01-11T00:00:00Z')
  expect(await refused(payer)).toMatchObject({
    code: 'provider_refused',
    detail: expect.stringMatching(/^Seconds: 200,000,000 second: .*amount_too_large/),
  })
  expect(shown(await pending(payer))).toEqual(['20000290 Support, 10 % r0'])
  // Another line goes on being told: 10 % of 2,000,010.00 and the fee.
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await refused(payer)
  expect(shown(await pending(payer))).toEqual(['20000300 Support, 10 % r0'])
})

test('an amount of more cents than a JSON number can say is refused like any that is too large', async () => {
  const payer = await subscribed('plain')
  // Ten times 999,999,999,999,999 seconds, a cent each.
  for (let i = 0; i < 10; i += 1) await world.use(payer, '999999999999999', '2026-01-11T00:00:00Z')
  expect(await refused(payer)).toMatchObject({
    code: 'provider_refused',
    detail: 'Seconds: 9,999,999,999,999,990 second: The payment provider takes no amount of so many digits.',
  })
  expect(shown(await pending(payer))).toEqual([])
})

test('an item that somebody deleted is made again', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  const [item] = await pending(payer)
  await world.stripe.invoiceItems.del(item?.id ?? '')
  await world.use(payer, '1', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  expect(shown(await pending(payer))).toEqual(['101 Seconds: 101 second r0'])
})

test('nobody is asked where nothing happened here, unless somebody wants it looked at', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  const [item] = await pending(payer)
  await world.stripe.invoiceItems.del(item?.id ?? '')
  expect(await world.requests(() => world.sync(payer))).toEqual([])
  await syncSubscription(world.deps, payer.subscriptionId, { reason: 'request', looks: true })
  expect(shown(await pending(payer))).toEqual(['100 Seconds: 100 second r0'])
})

test('a share of the fees is told anew when somebody changes their number at Stripe', async () => {
  const payer = await subscribed('seats')
  await world.sync(payer)
  expect(shown(await pending(payer))).toEqual(['100 Support, 10 % r0'])
  const { items } = await world.stripe.subscriptions.retrieve(payer.subscription)
  await world.stripe.subscriptionItems.update(items.data[0]?.id ?? '', {
    quantity: 3,
    proration_behavior: 'none',
  })
  await world.deliver()
  expect((await world.read(payer, 'current')).invoice.dirty).toBe(true)
  await world.sync(payer)
  // 10 % of 3 × 10.00.
  expect(shown(await pending(payer))).toEqual(['300 Support, 10 % r0'])
})

test('down over the boundary: the draft is found, what was pending is on it, and what came late joins it', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  await world.use(payer, '20', '2026-01-12T00:00:00Z')
  await world.turn(payer, '2026-02-10T00:30:00Z')
  // Of all events, only the subscription's is seen in time.
  const events = await world.newEvents()
  for (const event of events) if (event.type === 'customer.subscription.updated') await world.receive(event)
  await world.drain()
  expect(amounts(await world.read(payer, 'closing'))).toEqual(['120 Seconds: 120 second', '2000 Plain'])
  await world.sync(payer)
  const [, draft] = await world.atStripe(payer)
  expect(draft).toMatchObject({
    invoice: { status: 'draft' },
    lines: ['120 Seconds: 120 second', '2000 1 × Plain (at $20.00 / month)'].map((line) =>
      line.replace('Plain', 'Cloud'),
    ),
  })
  expect(await pending(payer)).toEqual([])
})

test('down for the whole draft hour: what Stripe had is billed, the rest is late', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  await world.use(payer, '20', '2026-01-12T00:00:00Z')
  await world.turn(payer, '2026-02-11T00:00:00Z')
  await world.newEvents()
  await world.sync(payer)
  await world.sync(payer)
  await world.deliver()
  const { refreshSubscription } = await import('../src/workflow/refresh.ts')
  await refreshSubscription(world.deps, payer.subscriptionId)
  await world.sync(payer)
  expect((await world.read(payer, 'paid')).total.minor).toBe(2100n)
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '20 Seconds: 20 second, reported late for 2026-01-10 to 2026-02-10',
    '2000 Plain',
  ])
  expect(shown(await pending(payer))).toEqual([
    '20 Seconds: 20 second, reported late for 2026-01-10 to 2026-02-10 r1',
  ])
})

test('finalized under our feet, the remainder goes on the next invoice', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.sync(payer)
  await go(payer, '2026-02-10T00:30:00Z')
  await world.use(payer, '7', '2026-01-12T00:00:00Z')
  // We still think of it as a draft.
  await world.turn(payer, '2026-02-10T01:30:00Z')
  await world.sync(payer)
  expect((await world.read(payer, 'open').catch(() => world.read(payer, 'paid'))).total.minor).toBe(2100n)
  expect(shown(await pending(payer))).toEqual([
    '7 Seconds: 7 second, reported late for 2026-01-10 to 2026-02-10 r1',
  ])
})

test('more than a page of items, and one call for each that changed', async () => {
  const payer = await subscribed('plain')
  for (let i = 0; i < 120; i += 1) {
    await world.stripe.invoiceItems.create({
      customer: payer.customer,
      subscription: payer.subscription,
      amount: 1,
      currency: 'usd',
    })
  }
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  expect(await world.requests(() => world.sync(payer))).toEqual([
    'GET /v1/invoiceitems',
    'GET /v1/invoiceitems',
    'POST /v1/invoiceitems',
  ])
})

test.each(['refused by Stripe', 'killed'])(
  'what a sync had seen that was %s is not taken for told when an older one ends',
  async (end) => {
    const payer = await subscribed('plain')
    await world.use(payer, '100', '2026-01-11T00:00:00Z')
    const { id } = (await world.read(payer, 'current')).invoice
    const { db, clock } = world.deps
    const pictured = async () => {
      await transaction(db, (trx) => markPictured(trx, [id]))
      return readInvoiceRows(db, [id])
    }
    // The older one has its picture and is on its way; the newer one has more usage in its.
    const older = await pictured()
    await world.use(payer, '50', '2026-01-12T00:00:00Z')
    if (end === 'killed') await pictured()
    else {
      world.simulator.control.fail({ kind: 'error_500', times: 100 })
      await expect(world.sync(payer)).rejects.toThrow('provider_unavailable')
      world.simulator.control.clearFaults()
    }
    await markSynced(db, older, { at: clock.now(), again: false })
    expect(await needsSync(db, payer.subscriptionId)).toBe(true)
    await world.sync(payer)
    expect(shown(await pending(payer))).toEqual(['150 Seconds: 150 second r0'])
    expect(await needsSync(db, payer.subscriptionId)).toBe(false)
  },
)

test('what was sent for the end of a period that may go on is sent again, also where a newer sync has ended', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  const { id } = (await world.read(payer, 'current')).invoice
  const { db, clock } = world.deps
  const pictured = async () => {
    await transaction(db, (trx) => markPictured(trx, [id]))
    return readInvoiceRows(db, [id])
  }
  const ending = await pictured()
  await markSynced(db, await pictured(), { at: clock.now(), again: false })
  expect(await needsSync(db, payer.subscriptionId)).toBe(false)
  await markSynced(db, ending, { at: clock.now(), again: true })
  expect(await needsSync(db, payer.subscriptionId)).toBe(true)
})

test('two syncs at the same time make one item for each line', async () => {
  const payer = await subscribed('tiered')
  await world.use(payer, '90', '2026-01-11T00:00:00Z')
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => world.sync(payer)))
  expect(outcomes.map(({ status }) => status)).toEqual(Array(6).fill('fulfilled'))
  expect(shown(await pending(payer))).toEqual(['290 Support, 10 % r0', '900 Seconds: 90 second r0'])
  await world.sync(payer)
  expect((await world.read(payer, 'current')).invoice).toMatchObject({ dirty: false, syncPending: false })
})

test('two subscriptions of one customer keep their items apart', async () => {
  const payer = await subscribed('plain')
  const other = await world.registerAlso(payer, 'leveled', 'second')
  await world.deliver()
  await world.use(payer, '100', '2026-01-20T00:00:00Z')
  await world.use(payer, '70', '2026-01-20T00:00:00Z', 'level')
  await world.sync(payer)
  await world.sync(other)
  const of = async ({ subscription }: Payer) =>
    shown(
      (await pending(payer)).filter(
        ({ parent }) => parent?.subscription_details?.subscription === subscription,
      ),
    )
  expect(await of(payer)).toEqual(['100 Seconds: 100 second r0'])
  expect(await of(other)).toEqual(['70 Level: 70 unit r0'])
  await world.use(payer, '1', '2026-01-20T00:00:00Z')
  const plan = await world.sync(payer)
  expect([plan?.calls, plan?.foreign.length, plan?.remove.length]).toEqual([1, 0, 0])
  expect(await of(other)).toEqual(['70 Level: 70 unit r0'])
})

// Down for 72 hours: from a day and a half before the end of the period until as long after it. Stripe renews, finalizes and
// is paid meanwhile, its keys of idempotency are forgotten, and the usage waits in the application's buffer.
test('down for 72 hours over the boundary, and killed in the middle of a sync: every second is billed once', async () => {
  const payer = await subscribed('plain')
  await go(payer, '2026-02-08T12:00:00Z')
  await world.use(payer, '100', '2026-01-20T00:00:00Z')
  // Stripe has made the item, and nobody heard its answer.
  world.simulator.control.fail({ kind: 'truncated', times: 100, method: 'POST', path: '/v1/invoiceitems' })
  await expect(world.sync(payer)).rejects.toThrow()
  world.simulator.control.clearFaults()
  expect(shown(await pending(payer))).toEqual(['100 Seconds: 100 second r0'])

  await world.turn(payer, '2026-02-11T12:00:00Z')
  world.wall.time += 72 * 3600
  world.simulator.control.pruneKeys()
  for (const event of (await world.newEvents()).reverse()) await world.receive(event)
  await world.drain()
  await world.use(payer, '40', '2026-02-09T00:00:00Z')
  await world.use(payer, '5', '2026-02-11T00:00:00Z')
  await world.sync(payer)
  expect(amounts(await world.read(payer, 'paid'))).toEqual([
    '100 Seconds: 100 second',
    '2000 1 × Cloud (at $20.00 / month)',
  ])
  expect(amounts(await world.read(payer, 'current'))).toEqual([
    '5 Seconds: 5 second',
    '40 Seconds: 40 second, reported late for 2026-01-10 to 2026-02-10',
    '2000 Plain',
  ])

  await go(payer, '2026-03-10T00:00:00Z')
  await go(payer, '2026-03-10T02:00:00Z')
  // 20.00 at first; 20.00 and 1.00; 20.00, 0.05 and 0.40.
  expect((await world.atStripe(payer)).map(({ invoice }) => invoice.total)).toEqual([2000, 2100, 2045])
  expect(await pending(payer)).toEqual([])
})

test('one that others overtake every time is said to be tried again, and not to be broken', async () => {
  const payer = await subscribed('plain')
  await world.use(payer, '100', '2026-01-11T00:00:00Z')
  await world.pool.query(
    `create function overtake() returns trigger language plpgsql as 'begin return null; end'`,
  )
  await world.pool.query(
    `create trigger overtake before update on invoice_item for each row when (new.state = 'placed') execute function overtake()`,
  )
  await expect(world.sync(payer)).rejects.toMatchObject({ code: 'provider_unavailable' })
  await world.pool.query('drop trigger overtake on invoice_item')
  await world.sync(payer)
  expect(shown(await pending(payer))).toEqual(['100 Seconds: 100 second r0'])
})
