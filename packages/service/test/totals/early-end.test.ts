// What is left at an end costs what the renewal of that moment would have cost. Every figure is reckoned by hand.
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../../src/http/routes/subscription-deeds.ts'
import { readInvoice } from '../../src/invoice/read.ts'
import { idOf } from '../../src/provider/stripe/field.ts'
import type { Payer } from '../support/billing-world.ts'
import { newServer } from '../support/server.ts'
import { shared } from '../support/shared.ts'
import { newTotalsWorld, type TotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())
const server = await newServer(world)
subscriptionDeedRoutes(server.app, { ...world.deps, workflows: world.workflows })

const JANUARY = '2026-01-12T00:00:00Z'
const NOW = '2026-01-20T02:00:00Z'

interface Preview {
  readonly toBill: { readonly minor: string }
  readonly discounts: readonly { readonly name: string; readonly amount: { readonly minor: string } }[]
}

const deed = async (payer: Payer, verb: string, payload: object) =>
  (await server.call({ method: 'POST', url: `/v1/subscriptions/${payer.subscriptionId}/${verb}`, payload }))
    .body

/** What the last of Stripe's invoices came to there, and here while it was open and when it is final. */
async function final(payer: Payer, time = NOW) {
  await world.deliver()
  await world.sync(payer)
  await world.deliver()
  const open = await world.read(payer, 'closing')
  await world.go(payer, time)
  return { open: figures(open), ...(await last(payer)) }
}

async function last(payer: Payer) {
  const invoice = (await world.atStripe(payer)).at(-1)?.invoice
  const row = (await world.invoices(payer)).find(({ providerInvoiceId }) => providerInvoiceId === invoice?.id)
  const ours = row && (await readInvoice(world.db, row.id))
  if (!invoice || !ours) throw new Error('There is no last invoice.')
  return { stripe: atStripe(invoice), ours: figures(ours) }
}

const figures = ({ total, discountTotal, discounts }: Awaited<ReturnType<TotalsWorld['read']>>) => ({
  total: Number(total.minor),
  off: Number(discountTotal.minor),
  names: discounts.filter(({ amount }) => amount.minor > 0n).map(({ name }) => name),
})

function atStripe({ total, total_discount_amounts: off, status }: Stripe.Invoice) {
  return { total, off: (off ?? []).reduce((sum, { amount }) => sum + amount, 0), status }
}

const everywhere = (total: number, off: number, names: string[]) => ({
  open: { total, off, names },
  stripe: { total, off, status: 'paid' },
  ours: { total, off, names },
})

test.each([
  ['plain', { amount_off: 500, currency: 'usd' }, '1001', 501, 500],
  ['plain', { percent_off: 33.3 }, '1001', 668, 333],
  // Of 31.00 for 31 days 10.00 are promised for ten of them: 4.00 are used and 6.00 missing, and a fifth comes off both.
  ['least', { percent_off: 20 }, '400', 800, 200],
  // A fifth of 1001 yen is 200.2. Of 10.010 dinars a third is 3.33333, and whole tens are charged.
  ['yen', { percent_off: 20 }, '1001', 801, 200],
  ['dinar', { percent_off: 33.3 }, '1001', 6677, 3333],
] as const)('%s, %o: ended now by us', async (plan, off, used, total, taken) => {
  const payer = await world.subscribed(plan, [await world.coupon({ ...off, name: 'Welcome' })])
  await world.use(payer, used, JANUARY)
  const preview = (await deed(payer, 'cancel/preview', { when: 'now' })) as unknown as Preview
  expect(Number(preview.toBill.minor)).toBe(total)
  expect(preview.discounts).toMatchObject([{ name: 'Welcome', amount: { minor: `${taken}` } }])
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer)).toEqual(everywhere(total, taken, ['Welcome']))
})

test('what was used in the second of an end is in no period: neither previewed nor billed', async () => {
  const payer = await world.subscribed()
  await world.go(payer, '2026-01-20T00:20:00Z')
  await world.use(payer, '300', '2026-01-20T00:19:59Z')
  await world.use(payer, '1000', '2026-01-20T00:20:00Z')
  const preview = (await deed(payer, 'cancel/preview', { when: 'now' })) as unknown as Preview
  expect(preview.toBill.minor).toBe('300')
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer)).toEqual(everywhere(300, 0, []))
})

test('ended now in the dashboard, before anything was told', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 20, name: 'Welcome' })])
  await world.use(payer, '1001', JANUARY)
  await world.stripe.subscriptions.cancel(payer.subscription)
  expect(await final(payer)).toEqual(everywhere(801, 200, ['Welcome']))
})

test('an amount that a change took off in the second of the end is no part of the end', async () => {
  const coupon = await world.coupon({ amount_off: 500, currency: 'usd', name: 'Welcome' })
  const payer = await world.subscribed('plain', [coupon])
  await world.use(payer, '1001', JANUARY)
  await world.go(payer, '2026-01-20T00:20:00Z')
  const { data } = await world.stripe.subscriptionItems.list({ subscription: payer.subscription })
  await world.stripe.subscriptions.update(payer.subscription, {
    items: [{ id: data[0]?.id ?? '', quantity: 3 }],
    billing_cycle_anchor: { type: 'now' },
    proration_behavior: 'always_invoice',
  })
  await world.deliver()
  const preview = (await deed(payer, 'cancel/preview', { when: 'now' })) as unknown as Preview
  expect(preview.toBill.minor).toBe('501')
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer)).toEqual(everywhere(501, 500, ['Welcome']))
})

test('nor is one of the renewal whose draft an end in its very second stops', async () => {
  const coupon = await world.coupon({ amount_off: 500, currency: 'usd', name: 'Welcome' })
  const payer = await world.subscribed('plain', [coupon])
  await world.use(payer, '1001', JANUARY)
  await world.go(payer, '2026-02-10T00:00:00Z')
  const preview = (await deed(payer, 'cancel/preview', { when: 'now' })) as unknown as Preview
  expect(preview.toBill.minor).toBe('501')
  await deed(payer, 'cancel', { when: 'now' })
  await world.deliver()
  await world.go(payer, '2026-02-10T02:00:00Z')
  const { stripe, ours } = everywhere(501, 500, ['Welcome'])
  expect(await last(payer)).toEqual({ stripe, ours })
})

/** 3.01 that Stripe knows of and 7.00 that it does not, less 5.00. */
async function toldInPart(): Promise<Payer> {
  const coupon = await world.coupon({ amount_off: 500, currency: 'usd', name: 'Welcome' })
  const payer = await world.subscribed('plain', [coupon])
  await world.use(payer, '301', JANUARY)
  await world.sync(payer)
  await world.use(payer, '700', JANUARY)
  return payer
}

test("ended now in the dashboard with a last invoice: what was not told is put on Stripe's draft before its hour is over", async () => {
  const payer = await toldInPart()
  await world.stripe.subscriptions.cancel(payer.subscription, { invoice_now: true })
  expect(await final(payer)).toEqual(everywhere(501, 500, ['Welcome']))
})

test('an amount that the invoice of the end took in part takes the rest off what is left', async () => {
  const payer = await toldInPart()
  // Stripe invoices the 3.01 that it knows of, less 3.01, and somebody finalizes that at once. Of the 7.00 that are left 1.99 come off.
  const { latest_invoice: draft } = await world.stripe.subscriptions.cancel(payer.subscription, {
    invoice_now: true,
  })
  await world.stripe.invoices.finalizeInvoice(idOf(draft ?? ''))
  await world.deliver()
  await world.go(payer, NOW)
  const { stripe, ours } = everywhere(501, 199, ['Welcome'])
  expect(await last(payer)).toEqual({ stripe, ours })
  // It is all used up: what comes later costs what it costs.
  await world.use(payer, '100', JANUARY)
  await world.sync(payer)
  await world.go(payer, '2026-01-20T04:00:00Z')
  expect(await last(payer)).toMatchObject({ stripe: { total: 100, off: 0 } })
})

test('of dinars whole tens of what an amount was not used for come off, here and there', async () => {
  const third = await world.coupon({ percent_off: 33.3, name: 'Third' })
  const seven = await world.coupon({ amount_off: 7000, currency: 'kwd', name: 'Seven' })
  const payer = await world.subscribed('dinar', [third, seven])
  await world.use(payer, '1001', JANUARY)
  // A third of 10.010 is 3.333; of the 7.000 the other 6.677 are taken, which leaves 0.323.
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer)).toEqual(everywhere(0, 10_010, ['Third', 'Seven']))
  // A third of 1.000 is 0.333, and of the 0.667 that it leaves 0.320 come off.
  await world.use(payer, '100', JANUARY)
  await world.sync(payer)
  await world.go(payer, '2026-01-20T04:00:00Z')
  const { stripe, ours } = everywhere(347, 653, ['Third', 'Seven'])
  expect(await last(payer)).toEqual({ stripe, ours })
  const { data } = await world.stripe.coupons.list({ limit: 100 })
  expect(data.filter(({ name }) => name === 'Seven').map((coupon) => coupon.amount_off)).toEqual([
    320, 7000, 7000,
  ])
})

test('one for one invoice is taken off what is left, once', async () => {
  const once = await world.coupon({ percent_off: 50, duration: 'once', name: 'Once' })
  const payer = await world.subscribed('plain', [once])
  await world.use(payer, '100', JANUARY)
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer)).toEqual(everywhere(50, 50, ['Once']))
  await world.use(payer, '100', JANUARY)
  await world.sync(payer)
  await world.go(payer, '2026-01-20T04:00:00Z')
  expect(await last(payer)).toMatchObject({ stripe: { total: 100, off: 0 } })
})

test('one for one invoice that was used is not used again', async () => {
  const once = await world.coupon({ percent_off: 50, duration: 'once' })
  const payer = await world.subscribed('plain', [once])
  await world.go(payer, '2026-02-10T02:00:00Z')
  await world.go(payer, '2026-02-20T00:00:00Z')
  await world.use(payer, '200', '2026-02-12T00:00:00Z')
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer, '2026-02-20T02:00:00Z')).toEqual(everywhere(200, 0, []))
})

test('a coupon that is used up, deleted and of one product keeps its worth', async () => {
  const products = [await world.productId('Compute')]
  const coupon = await world.coupon({
    ...{ percent_off: 20, name: 'Welcome', max_redemptions: 1, applies_to: { products } },
  })
  const payer = await world.subscribed('plain', [coupon])
  await world.stripe.coupons.del(coupon)
  await world.deliver()
  await world.use(payer, '1001', JANUARY)
  await world.use(payer, '500', JANUARY, 'bytes')
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer)).toEqual(everywhere(1301, 200, ['Welcome']))
})

test('one that is over at the end takes nothing off, and one of an item only off that', async () => {
  const month = await world.coupon({ percent_off: 20, duration: 'repeating', duration_in_months: 1 })
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.discount(payer, [month])
  const { items } = await world.stripe.subscriptions.retrieve(payer.subscription)
  await world.stripe.subscriptionItems.update(items.data[0]?.id ?? '', {
    discounts: [{ coupon: await world.coupon({ percent_off: 50 }) }],
  })
  await world.go(payer, '2026-02-10T02:00:00Z')
  await world.use(payer, '300', '2026-02-10T01:00:00Z')
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer, '2026-02-10T04:00:00Z')).toEqual(everywhere(300, 0, []))
})

test.each(['forever', 'once'] as const)(
  "a customer's, %s, is taken off where the subscription has none of its own",
  async (duration) => {
    const fifth = await world.coupon({ percent_off: 20, duration, name: 'Loyal' })
    const [inheriting, having] = [
      await world.subscribed(),
      await world.subscribed('plain', [await world.coupon({ percent_off: 10, name: 'Own' })]),
    ]
    for (const payer of [inheriting, having]) {
      world.simulator.control.discountCustomer(payer.customer, fifth)
      await world.deliver()
      await world.use(payer, '1000', JANUARY)
      await deed(payer, 'cancel', { when: 'now' })
    }
    expect(await final(inheriting)).toEqual(everywhere(800, 200, ['Loyal']))
    expect(await final(having)).toEqual(everywhere(900, 100, ['Own']))
    const customer = (await world.stripe.customers.retrieve(inheriting.customer)) as Stripe.Customer
    expect(customer.discount === null).toBe(duration === 'once')
  },
)

test.each([
  // For one invoice of the customer's, and for every one of them.
  ['once', [500, 1000]],
  ['forever', [500, 500]],
] as const)("a customer's of 5.00, %s, where two subscriptions end together", async (duration, totals) => {
  const payer = await world.subscribed()
  const also = await world.registerAlso(payer, 'leveled', 'second')
  await world.deliver()
  await world.go(payer, '2026-01-25T00:00:00Z')
  const five = await world.coupon({ amount_off: 500, currency: 'usd', duration })
  world.simulator.control.discountCustomer(payer.customer, five)
  await world.deliver()
  await world.use(payer, '1000', JANUARY)
  await world.use(payer, '1000', '2026-01-22T00:00:00Z', 'level')
  for (const [i, one] of [payer, also].entries()) {
    const { toBill } = (await deed(one, 'cancel/preview', { when: 'now' })) as unknown as Preview
    expect(Number(toBill.minor)).toBe(totals[i])
    // Nothing is heard between the two.
    await deed(one, 'cancel', { when: 'now' })
  }
  await world.deliver()
  expect([
    (await world.read(payer, 'closing')).total,
    (await world.read(also, 'closing')).total,
  ]).toMatchObject(totals.map((total) => ({ minor: BigInt(total) })))
  await world.go(payer, '2026-01-25T02:00:00Z')
  expect((await world.atStripe(payer)).slice(-2).map(({ invoice }) => invoice.total)).toEqual(totals)
})

test("a customer's that was taken away, of which nobody has told yet, is taken off no more", async () => {
  const payer = await world.subscribed()
  world.simulator.control.discountCustomer(payer.customer, await world.coupon({ percent_off: 20 }))
  await world.deliver()
  await world.use(payer, '1000', JANUARY)
  await world.stripe.subscriptions.cancel(payer.subscription)
  const events = await world.newEvents()
  world.simulator.control.discountCustomer(payer.customer, null)
  for (const event of events) await world.receive(event)
  await world.drain()
  await world.sync(payer)
  expect(await final(payer)).toEqual(everywhere(1000, 0, []))
})

// The draft of the renewal is never final: nothing is used up by it.
test('where only the draft of a renewal has one that the end stops, it is taken off the rest', async () => {
  const once = await world.coupon({ percent_off: 50, duration: 'once' })
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.discount(payer, [once])
  await world.go(payer, '2026-02-10T00:00:00Z')
  await world.go(payer, '2026-02-10T00:30:00Z')
  await world.use(payer, '300', '2026-02-10T00:10:00Z')
  const preview = (await deed(payer, 'cancel/preview', { when: 'now' })) as unknown as Preview
  // Half of the 3.00 that were used.
  expect(preview).toMatchObject({ toBill: { minor: '150' }, discounts: [{ amount: { minor: '150' } }] })
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await world.sync(payer)
  await world.go(payer, '2026-02-10T04:00:00Z')
  expect(await last(payer)).toMatchObject({ stripe: { total: 150, off: 150 } })
})

test('two, one after the other, and rates of tax: as at a renewal', async () => {
  const five = await world.coupon({ amount_off: 500, currency: 'usd', name: 'Five' })
  const tenth = await world.coupon({ percent_off: 10, name: 'Tenth' })
  const rate = await world.stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false })
  const payer = await world.subscribed('plain', [five, tenth])
  await world.stripe.subscriptions.update(payer.subscription, { default_tax_rates: [rate.id] })
  await world.deliver()
  await world.use(payer, '1500', JANUARY)
  // 15.00 − 5.00 = 10.00, a tenth of which is 1.00; 19 % of 9.00 are 1.71.
  const preview = (await deed(payer, 'cancel/preview', { when: 'now' })) as unknown as Preview
  expect(preview.toBill.minor).toBe('1071')
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer)).toEqual(everywhere(1071, 600, ['Five', 'Tenth']))
})

test('tax that only Stripe knows is estimated by the invoice before, and is on the rest as on a renewal', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 20, name: 'Welcome' })])
  await world.stripe.customers.update(payer.customer, {
    address: { line1: 'Unter den Linden 1', city: 'Berlin', postal_code: '10117', country: 'DE' },
  })
  await world.stripe.subscriptions.update(payer.subscription, { automatic_tax: { enabled: true } })
  await world.deliver()
  // A fifth off 20.01 leaves 16.01, of which 19 % are 3.04.
  await world.go(payer, '2026-02-10T02:00:00Z')
  expect(await last(payer)).toMatchObject({ stripe: { total: 1905, off: 400, status: 'paid' } })
  await world.go(payer, '2026-02-20T00:00:00Z')
  await world.use(payer, '1000', '2026-02-12T00:00:00Z')
  // As much of 8.00 as 3.04 are of 16.01, and 19 % of it.
  const preview = (await deed(payer, 'cancel/preview', { when: 'now' })) as unknown as Preview
  expect(preview).toMatchObject({ tax: { minor: '152' }, toBill: { minor: '952' } })
  await deed(payer, 'cancel', { when: 'now' })
  expect(await final(payer, '2026-02-20T02:00:00Z')).toEqual(everywhere(952, 200, ['Welcome']))
})

test.each([
  ['within a month', 30],
  ['at once', 0],
])(
  'what is left of a subscription that is paid by invoice is sent, to be paid %s: no card is charged',
  async (_, days) => {
    const payer = await world.subscribed()
    await world.stripe.subscriptions.update(payer.subscription, {
      ...{ collection_method: 'send_invoice', days_until_due: days },
    })
    await world.deliver()
    await world.use(payer, '1000', JANUARY)
    await deed(payer, 'cancel', { when: 'now' })
    await world.go(payer, NOW)
    const sent = (await world.atStripe(payer)).at(-1)?.invoice
    expect(sent).toMatchObject({
      ...{ collection_method: 'send_invoice', status: 'open', attempted: false },
      ...{ total: 1000, amount_paid: 0, amount_remaining: 1000 },
      due_date: (sent?.created ?? 0) + days * 86_400,
    })
  },
)

test.each([
  ['with its period', {}, '2026-02-10T00:00:00Z'],
  ['at a date', { at: '2026-01-25T00:00:00Z' }, '2026-01-25T00:00:00Z'],
])('ended %s: what Stripe was told of, and what it was not', async (_, wanted, end) => {
  for (const told of [true, false]) {
    const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 20, name: 'Welcome' })])
    await world.use(payer, '1001', JANUARY)
    const preview = (await deed(payer, 'cancel/preview', wanted)) as unknown as Preview
    expect(preview.toBill.minor).toBe('801')
    await deed(payer, 'cancel', wanted)
    if (told) await world.sync(payer)
    await world.turn(payer, end)
    const after = end.replace('T00', 'T02')
    expect(await final(payer, after)).toEqual(everywhere(801, 200, ['Welcome']))
  }
})

test('an end that is taken back leaves the renewal as it was', async () => {
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 20 })])
  await world.use(payer, '1001', JANUARY)
  await deed(payer, 'cancel', {})
  await deed(payer, 'resume', {})
  // A fifth of 2001 + 1001 = 3002 is 600.4.
  expect(await world.everywhere(payer)).toMatchObject({
    here: { total: 2402, off: 600 },
    final: { total: 2402, off: 600 },
  })
})
