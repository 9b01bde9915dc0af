// What a line gives back is what was paid for it. Every figure is reckoned by hand; where it is not said otherwise, a
// second and a byte cost a cent each.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { adjustmentRoutes } from '../../src/http/routes/adjustments.ts'
import { subscriptionDeedRoutes } from '../../src/http/routes/subscription-deeds.ts'
import { usageCorrectionRoutes } from '../../src/http/routes/usage-corrections.ts'
import { explanationOf } from '../../src/invoice/explain.ts'
import { readInvoice } from '../../src/invoice/read.ts'
import { openUsage } from '../../src/usage/usage.ts'
import { amounts, type Payer } from '../support/billing-world.ts'
import { newServer } from '../support/server.ts'
import { shared } from '../support/shared.ts'
import { allAre, newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())
const server = await newServer(world.deps, { clock: world.deps.clock })
const usage = await shared(openUsage({ ...world.deps, databaseUrl: world.url }))
adjustmentRoutes(server.app, world.deps)
usageCorrectionRoutes(server.app, { ...world.deps, usage })
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

const KNOWN = new URL('../../sql/0151_given_back_known.sql', import.meta.url)
const JANUARY = '2026-01-12T00:00:00Z'
const late = 'corrected for 2026-01-10 to 2026-02-10'

let count = 0

/** One event, and what corrects it: without a quantity it is voided. */
async function used(
  payer: Payer,
  quantity: string,
  { meter = 'seconds', time = JANUARY, data = {} }: { meter?: string; time?: string; data?: object } = {},
) {
  count += 1
  const id = `job-${count}`
  await usage.take([
    {
      ...{ specversion: '1.0', source: 'cluster', id, type: meter, time },
      ...{ subject: payer.externalId, data: { ...data, quantity } },
    },
  ])
  return async (now?: string) => {
    const payload = {
      ...{ reason: 'a test', source: 'cluster', id, time },
      ...(now === undefined ? { kind: 'void' } : { kind: 'amend', quantity: now }),
    }
    const url = '/v1/usage-corrections?dryRun=false'
    expect(await server.call({ method: 'POST', url, payload })).toMatchObject({ status: 201 })
  }
}

/** What is pending is invoiced in the middle of the period, and paid. */
async function inMidPeriod(payer: Payer): Promise<number> {
  await world.sync(payer)
  const { id } = await world.stripe.invoices.create({
    ...{ customer: payer.customer, subscription: payer.subscription },
    pending_invoice_items_behavior: 'include',
  })
  const { total } = await world.stripe.invoices.finalizeInvoice(id)
  await world.deliver()
  return total
}

const february = (payer: Payer) => world.everywhere(payer, '2026-03-10T02:00:00Z')

test('a minimum at 90 % off that was billed in mid-period, where the period ends early', async () => {
  const payer = await world.subscribed('promised', [await world.coupon({ percent_off: 90 })])
  expect(await inMidPeriod(payer)).toBe(500)
  const cancel = `/v1/subscriptions/${payer.subscriptionId}/cancel`
  const preview = await server.call({ method: 'POST', url: `${cancel}/preview`, payload: { when: 'now' } })
  expect(preview.body).toMatchObject({ toBill: { minor: '-339' } })
  await server.call({ method: 'POST', url: cancel, payload: { when: 'now' } })
  await world.deliver()
  await world.sync(payer)
  // 50.00 × 10 ÷ 31 = 16.12 are promised, of which 1.61 stay to be paid: 5.00 − 1.61.
  const open = await world.read(payer, 'closing')
  expect(open.total.minor).toBe(-339n)
  expect(open.lines.flatMap((line) => explanationOf(line, [])).slice(-6)).toEqual([
    'rounded once, half away from zero: 16.12 → 16.12 usd',
    'billed before: -50.00 usd, of which discounts took 45.00',
    'taken back: 33.88 usd, what was billed last first',
    'stays: 16.12 of 50.00, and 14.51 of the 45.00 that discounts took of it',
    'given back: 5.00 paid − 1.61 for what stays = 3.39 usd',
    'left: -3.39 usd',
  ])
  await world.go(payer, '2026-01-20T04:00:00Z')
  const last = (await world.atStripe(payer)).at(-1)
  expect(last).toMatchObject({ invoice: { total: -339, subtotal: -339, ending_balance: -339 } })
  const row = (await world.invoices(payer)).find(
    ({ providerInvoiceId }) => providerInvoiceId === last?.invoice.id,
  )
  const final = row && (await readInvoice(world.db, row.id))
  expect(final && amounts(final)).toEqual([
    '-339 Minimum: 0.00 used of 16.12 USD, corrected for 2026-01-10 to 2026-01-20, less 30.49 discounted before',
  ])
})

test('usage that was billed at half off and voided: in two steps, and all of it', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  const correct = await used(payer, '1000')
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  // Half of 20.01 and 10.00.
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(1500)
  await correct('599')
  // 4.01 are taken back. Half of 5.99, 3.00 off, stays: of 5.00 paid 2.01. Half of 20.01 is 10.00.
  const first = await february(payer)
  expect(first).toMatchObject(allAre({ total: 1000 - 201, off: 1001 }))
  expect(amounts(first.shown)[0]).toBe(`-201 Seconds: -401 second, ${late}, less 2.00 discounted before`)
  await correct()
  const second = await world.everywhere(payer, '2026-04-10T02:00:00Z')
  expect(second).toMatchObject(allAre({ total: 1000 - 299, off: 1001 }))
  expect(second.shown.lines.flatMap((line) => explanationOf(line, [])).slice(0, 8)).toEqual([
    expect.stringMatching(/^compute: /),
    'compute: 0 second measured (sum of 0 events)',
    'per unit: 0 × 0.01 = 0',
    'rounded once, half away from zero: 0 → 0.00 usd',
    'billed before: -10.00 usd, of which discounts took 5.00',
    'billed before: 4.01 usd, for which 2.01 came back',
    'taken back: 5.99 usd, what was billed last first',
    'given back: 2.99 paid − 0.00 for what stays = 2.99 usd',
  ])
})

/** January's seconds are billed on its renewal; then they are corrected, and February's renewal gives back. */
async function corrected(payer: Payer, quantity: string, now?: string) {
  const correct = await used(payer, quantity)
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  const [billed] = (await world.atStripe(payer)).slice(-1)
  await correct(now)
  return { billed: billed?.invoice.total, february: await february(payer) }
}

test.each([
  // 20.01 + 10.00 less 5.00: Stripe takes floor(500 × 2001 ÷ 3001) = 3.33 off one and the rest off the other, whichever is
  // listed last. The seconds are listed first: floor(500 × 1000 ÷ 3001) = 1.66 off them. Half of that stays, 0.83, beside 5.00:
  // of 8.34 paid 4.17 come back.
  ['an amount', { amount_off: 500, currency: 'usd' }, 2501, 2001 - 500 - 417, 500],
  // A third of 30.01 is 9.99333, floor(999 × 1000 ÷ 3001) = 3.32 off the seconds: 6.68 were paid. 1.66 off 5.00 stay.
  ['a third', { percent_off: 33.3 }, 2002, 2001 - 666 - 334, 666],
  // All of it was a gift, and nothing comes back.
  ['all of it', { percent_off: 100 }, 0, 0, 2001],
] as const)('%s off, half of it taken back', async (_, off, billed, total, taken) => {
  const payer = await world.subscribed('plain', [await world.coupon(off)])
  const all = await corrected(payer, '1000', '500')
  expect(all.billed).toBe(billed)
  expect(all.february).toMatchObject(allAre({ total, off: taken }))
})

test('two coupons, one after the other: both are off what comes back', async () => {
  const products = [await world.productId('Compute')]
  const half = await world.coupon({ percent_off: 50, applies_to: { products } })
  const fifth = await world.coupon({ percent_off: 20 })
  const payer = await world.subscribed('plain', [half, fifth])
  // Half of 10.00, and a fifth of 5.00 + 20.01, which is 5.002: floor(500 × 500 ÷ 2501) = 0.99 of that off the seconds.
  const all = await corrected(payer, '1000')
  expect(all.billed).toBe(2001)
  // 5.00 − 0.99 = 4.01 come back; a fifth of 20.01 is off the fee.
  expect(all.february).toMatchObject(allAre({ total: 2001 - 400 - 401, off: 400 }))
})

test('a coupon that is gone since, and one that came since: what comes back is what was paid', async () => {
  const once = await world.coupon({ percent_off: 50, duration: 'once' })
  const payer = await world.subscribed('plain', [once])
  const gone = await corrected(payer, '1000')
  // 5.00 of 10.00 were paid. The next invoice has no coupon.
  expect(gone.february).toMatchObject(allAre({ total: 2001 - 500 }))

  const late = await world.subscribed()
  const correct = await used(late, '1000')
  await world.sync(late)
  await world.go(late, '2026-02-10T02:00:00Z')
  await world.discount(late, [await world.coupon({ percent_off: 50 })])
  await correct()
  // All of 10.00 was paid, and half is off 20.01 alone.
  expect(await february(late)).toMatchObject(allAre({ total: 1000 - 1000, off: 1001 }))
})

test('a coupon of another product takes nothing off what comes back', async () => {
  const products = [await world.productId('Cloud')]
  const half = await world.coupon({ percent_off: 50, applies_to: { products } })
  const payer = await world.subscribed('plain', [half])
  const { february } = await corrected(payer, '1000')
  expect(february).toMatchObject(allAre({ total: 1000 - 1000, off: 1001 }))
})

test('several invoices of a period, with a coupon and without: what was billed last comes back first', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  const first = await used(payer, '1000')
  expect(await inMidPeriod(payer)).toBe(500)
  await world.stripe.subscriptions.update(payer.subscription, { discounts: '' })
  await world.deliver()
  await used(payer, '400')
  expect(await inMidPeriod(payer)).toBe(400)
  // 14.00 for 9.00. 7.00 are taken back: the 4.00 without, and 3.00 at half off.
  await first('300')
  await world.sync(payer)
  expect((await world.read(payer, 'current')).lines[0]?.amount.minor).toBe(-550n)
  // As much is used again, at what it costs now: 7.00 left and 5.00 more.
  await used(payer, '500')
  const shown = await world.read(payer, 'current')
  // 12.00 of 14.00: 2.00 are taken back, all of them of the 4.00.
  expect(shown.lines[0]?.amount.minor).toBe(-200n)
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2001 - 200 }))
})

test.each([
  ['on top', false, 1.19],
  ['contained', true, 1],
] as const)('tax that is %s goes with it', async (_, inclusive, factor) => {
  const rate = await world.stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive })
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  await world.stripe.subscriptions.update(payer.subscription, { default_tax_rates: [rate.id] })
  await world.deliver()
  const { february } = await corrected(payer, '1000')
  const [stays, back] = [1000, 500]
  const total = Math.round((stays - back) * factor)
  const tax = inclusive ? Math.round((1000 * 19) / 119) - Math.round((500 * 19) / 119) : 95
  expect(february).toMatchObject(allAre({ total, off: 1001, tax }))
})

test.each([
  // A third of 2001 + 1001 yen is 999.666: floor(1000 × 1001 ÷ 3002) = 333 off the seconds, 668 paid.
  ['yen', '1001', 2001 - 666 - 668, 666, undefined],
  // A third of 2.010 + 1.010 dinars is 1.00566, floor(1006 × 1010 ÷ 3020) = 0.336 off the seconds: of 0.674 paid 0.670 come back.
  // Of the 2.014 before 2.010 were charged: the 0.004 are due with these 0.671, in tens.
  ['dinar', '101', 2010 - 669 - 670, 669, 680],
] as const)('%s', async (plan, quantity, total, off, due) => {
  const payer = await world.subscribed(plan, [await world.coupon({ percent_off: 33.3 })])
  const { february } = await corrected(payer, quantity)
  expect(february).toMatchObject(allAre({ total, off, ...(due !== undefined && { due }) }))
})

test('what comes back stands on the draft of its own period too', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 })])
  const correct = await used(payer, '1000')
  expect(await inMidPeriod(payer)).toBe(500)
  await world.go(payer, '2026-02-10T00:30:00Z')
  await correct('400')
  // 6.00 are taken back of 10.00 at half off. Half of 20.01 is 10.00.
  await world.sync(payer)
  expect((await world.read(payer, 'closing')).total.minor).toBe(700n)
  await world.go(payer, '2026-02-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(700)
  expect(await world.sync(payer)).toBeUndefined()
})

test('what discounts took off what was billed before it was kept is read from the invoices', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 33.3 })])
  await used(payer, '1000')
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  const discounted = async () =>
    (
      await world.db
        .selectFrom('invoiceItem')
        .select(['lineKey', 'discounted'])
        .where('customerId', '=', payer.customerId)
        .execute()
    ).map(({ lineKey, discounted }) => `${lineKey} ${discounted}`)
  // floor(999 × 1000 ÷ 3001).
  expect(await discounted()).toEqual(['compute 332'])
  await world.db.updateTable('invoiceItem').set({ discounted: 0n }).execute()
  await world.pool.query(await readFile(KNOWN, 'utf8'))
  expect(await discounted()).toEqual(['compute 332'])
})

test('usage that is taken back pays for no other usage: it was not paid for at the price of that', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 90 })])
  const correct = await used(payer, '1000', { meter: 'bytes' })
  expect(await inMidPeriod(payer)).toBe(100)
  await world.stripe.subscriptions.update(payer.subscription, { discounts: '' })
  await world.deliver()
  await correct()
  await used(payer, '1200')
  // 12.00 at what they cost now, and the 1.00 that was paid for 10.00.
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2001 + 1200 - 100 }))
})

test('what is taken back of several groups pays for no usage of another one', async () => {
  const payer = await world.subscribed('regions', [await world.coupon({ percent_off: 90 })])
  const use = (region: string, quantity: string) => used(payer, quantity, { meter: 'cpu', data: { region } })
  for (let n = 0; n < 100; n += 1) await use(`r${n}`, '1100')
  const correct = await use('least', '1000')
  // A line of its own for each of the hundred that used most, 11.00 each, and 10.00 for the rest, at 90 % off.
  expect(await inMidPeriod(payer)).toBe(100 * 110 + 100)
  await world.stripe.subscriptions.update(payer.subscription, { discounts: '' })
  await world.deliver()
  await correct()
  await use('r7', '1200')
  // 12.00 at what they cost now, and the 1.00 that was paid for 10.00.
  expect(await world.everywhere(payer)).toMatchObject(allAre({ total: 2001 + 1200 - 100 }))
})

test('a credit of support that was billed and is withdrawn is charged as it was given', async () => {
  const products = [await world.productId('Cloud')]
  const five = await world.coupon({ amount_off: 500, currency: 'usd', applies_to: { products } })
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 50 }), five])
  await used(payer, '300')
  const { invoice } = await world.read(payer, 'current')
  const url = `/v1/invoices/${invoice.id}/adjustments`
  const because = { description: 'Goodwill', reason: 'a test' }
  const credit = { ...because, kind: 'credit', amount: '4.00' }
  const made = await server.call({ method: 'POST', url: `${url}?dryRun=false`, payload: credit })
  const { id } = made.body as unknown as { id: string }
  await world.sync(payer)
  // Stripe has finalized it, and nobody has told us yet.
  await world.turn(payer, '2026-02-10T02:00:00Z')
  const withdrawal = { method: 'POST', url: `${url}/${id}/withdraw?dryRun=false` } as const
  expect(await server.call({ ...withdrawal, payload: { reason: 'a test' } })).toMatchObject({ status: 200 })
  await world.deliver()
  // Half of 20.01 and 3.00 less 5.00 of the fee, and the 4.00.
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(2301 - 1151 - 500 - 400)
  // Half of 20.01 less 5.00, and the 4.00 as they were given.
  expect(await february(payer)).toMatchObject(allAre({ total: 2001 - 1001 - 500 + 400, off: 1501 }))
  // Nothing is left of it.
  expect(await world.everywhere(payer, '2026-04-10T02:00:00Z')).toMatchObject(
    allAre({ total: 500, off: 1501 }),
  )
})

// 10.00 a month and 50.00 of usage promised. In January 30.00 are used and 20.00 are missing, at half off: 25.00 for both, and
// for the 50.00 that January costs at least. The coupon is over then, and the 30.00 never were.
test.each([
  // 40.00 come late, and 10.00 are missing. The void alone changes nothing of what January costs: the 50.00 that are paid are
  // missing now, and have paid for the 40.00.
  ['less than is promised', '4000', 1000 + 5000],
  ['much less', '1000', 1000 + 5000],
  // 10.00 beyond the 50.00.
  ['more than is promised', '6000', 1000 + 5000 + 1000],
])('voided under a minimum, and as late %s', async (_, late, total) => {
  const payer = await world.subscribed('promised', [
    await world.coupon({ percent_off: 50, duration: 'once' }),
  ])
  const correct = await used(payer, '3000')
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(500 + 2500)
  await correct()
  await used(payer, late, { meter: 'bytes' })
  expect(await february(payer)).toMatchObject(allAre({ total }))
  // Nothing of January is left.
  expect(await world.everywhere(payer, '2026-04-10T02:00:00Z')).toMatchObject(allAre({ total: 6000 }))
})

test('late under a minimum first, and then voided: no more is charged of what goes down', async () => {
  const payer = await world.subscribed('promised', [
    await world.coupon({ percent_off: 50, duration: 'once' }),
  ])
  const correct = await used(payer, '3000')
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  await used(payer, '4000', { meter: 'bytes' })
  // 20.00 were missing and have paid for as much: 20.00 are left.
  expect(await february(payer)).toMatchObject(allAre({ total: 1000 + 5000 + 2000 }))
  await correct()
  // Of 70.00 are left 40.00 and 10.00 that are missing: 20.00 of the 30.00 come back, at half off.
  expect(await world.everywhere(payer, '2026-04-10T02:00:00Z')).toMatchObject(
    allAre({ total: 1000 + 5000 - 1000 }),
  )
  expect(await world.everywhere(payer, '2026-05-10T02:00:00Z')).toMatchObject(allAre({ total: 6000 }))
})

test('voided beyond a minimum, and late: what is promised is paid, and the rest comes back', async () => {
  const payer = await world.subscribed('promised', [
    await world.coupon({ percent_off: 50, duration: 'once' }),
  ])
  const correct = await used(payer, '10000')
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  // Half of 10.00 and 100.00.
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(500 + 5000)
  await correct()
  await used(payer, '12000', { meter: 'bytes' })
  // Without the late usage January costs 50.00, for which 25.00 of the 50.00 that were paid stay. They pay for as much of the
  // 120.00.
  expect(await february(payer)).toMatchObject(allAre({ total: 1000 + 5000 + 7000 - 2500 }))
  expect(await world.everywhere(payer, '2026-04-10T02:00:00Z')).toMatchObject(allAre({ total: 6000 }))
})

test.each([
  // In March 10.01 come in, and in February 10.00 of the 20.01 for March.
  ['refund', '1000', 1001, [1001, 355]],
  ['credit', '1000', 1001, [1001, 355]],
  // All of March was paid in February, and 9.99 are on the balance.
  ['refund', '3000', -999, [1356]],
  ['credit', '3000', -999, [1356]],
] as const)('an end with %s after a correction of %s', async (unusedTime, quantity, total, expected) => {
  const payer = await world.subscribed()
  const correct = await used(payer, quantity)
  await world.sync(payer)
  await world.go(payer, '2026-02-10T02:00:00Z')
  await correct()
  await world.sync(payer)
  await world.go(payer, '2026-03-10T02:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice.total).toBe(total)
  await world.go(payer, '2026-03-20T00:00:00Z')
  // Of 31 days 21 are left: 20.01 × 21 ÷ 31 is 13.555.
  const cancel = `/v1/subscriptions/${payer.subscriptionId}/cancel`
  const payload = { when: 'now', unusedTime }
  const preview = await server.call({ method: 'POST', url: `${cancel}/preview`, payload })
  expect(preview.body).toMatchObject({ toGiveBack: { minor: '1356' }, notGivenBack: [] })
  await server.call({ method: 'POST', url: cancel, payload })
  await world.deliver()
  const notes = await world.stripe.creditNotes.list({ customer: payer.customer })
  expect(notes.data.map(({ total }) => total).sort((a, b) => b - a)).toEqual(expected)
})
