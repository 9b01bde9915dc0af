// docs.stripe.com/billing/subscriptions/prorations and docs.stripe.com/currencies
import { expect, test } from 'vitest'
import { findDrift } from '../../src/workflow/drift/find.ts'
import type { Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'
import { type Code, minors, newMoneyWorld, price, type Shown } from './money-world.ts'

const world = await shared(newMoneyWorld())

interface Invoice {
  readonly lines: readonly { readonly amount: Shown }[]
  readonly total: Shown
  readonly amountDue: Shown
}

/** Previews, does as previewed, and shows both: what is due now, or else the next invoice. */
async function change(payer: Payer, wish: object) {
  const url = `/v1/subscriptions/${payer.subscriptionId}`
  const { body: preview } = await world.ask('POST', `${url}/preview`, wish)
  const done = await world.ask('PATCH', url, { ...wish, preview: preview.token })
  expect([done.status, done.body]).toMatchObject([200, { change: { problem: null } }])
  await world.deliver()
  const invoice = (preview.dueNow ?? preview.nextInvoice) as unknown as Invoice
  const { lines, total, amountDue } = invoice
  const amounts = minors(lines.map(({ amount }) => amount)).sort((a, b) => a - b)
  return { lines: amounts, total: Number(total.minor), due: Number(amountDue.minor), preview }
}

const small = (code: Code) => `${code}-small`

// 15 of 31 days are left of a period that began with the end of the trial. Of 1001 and 2503 that is 484.35 and
// 1211.13; in fils of 10010 and 25030 4843.55 and 12111.29; in Stripe's hundredths of a króna 48435.48 and 121112.90.
test.each<[Code, { fee: number; lines: number[]; total: number; due: number }, number[], string]>([
  ['usd', { fee: 1001, lines: [-484, 1211], total: 727, due: 727 }, [727, 727, 0], 'agrees'],
  ['jpy', { fee: 1001, lines: [-484, 1211], total: 727, due: 727 }, [727, 727, 0], 'agrees'],
  ['kwd', { fee: 10_010, lines: [-4844, 12_111], total: 7267, due: 7270 }, [7267, 7270, -3], 'agrees'],
  ['isk', { fee: 1001, lines: [-484, 1211], total: 727, due: 727 }, [72_678, 72_700, -22], 'notAsked'],
])('%s: a trial, its first invoice, an upgrade and a downgrade', async (code, ours, stripes, opinion) => {
  const ada = await world.register(`${code}-trial`, '2026-01-01T00:00:00Z')
  await world.deliver()
  await world.go(ada, '2026-01-15T02:00:00Z')
  expect(await world.paid(ada)).toEqual([
    '2026-01-01 … 2026-01-01 subscription_create paid 0',
    `2026-01-01 … 2026-01-15 subscription_cycle paid ${ours.fee}`,
  ])

  await world.go(ada, '2026-01-31T00:00:00Z')
  const { preview, ...upgrade } = await change(ada, { plan: `${code}-big` })
  expect(upgrade).toEqual({ lines: ours.lines, total: ours.total, due: ours.due })
  expect(preview).toMatchObject({
    ...{ direction: 'upgrade', takesEffect: 'now', secondOpinion: opinion },
    recurring: { amount: price(code, 2503), currency: code },
  })
  const [total, due, balance] = stripes
  expect(await world.lastAtStripe(ada)).toEqual({ total, due, paid: due, balance })
  const { invoice } = await world.read(ada, 'paid')
  const { total: kept, amountDue, amountPaid } = invoice
  expect([kept, amountDue, amountPaid]).toEqual([ours.total, ours.due, ours.due].map(BigInt))

  // The fils that are on the balance lower no renewal: it is due as a whole.
  const downgrade = await change(ada, { plan: small(code) })
  expect(downgrade).toMatchObject({ total: ours.fee, due: ours.fee, preview: { takesEffect: 'periodEnd' } })
  await world.go(ada, '2026-02-15T02:00:00Z')
  expect((await world.paid(ada)).filter((line) => line.includes('cycle'))).toEqual([
    `2026-01-01 … 2026-01-15 subscription_cycle paid ${ours.fee}`,
    `2026-01-15 … 2026-02-15 subscription_cycle paid ${ours.fee}`,
  ])
  expect((await findDrift(world.deps)).drifts).toEqual([])
})

// 15 of 31 days: 3 × 307 and 5 × 307 are 445.65 and 742.74, an add-on of 113 is 54.68; in fils 4456.45, 7427.42 and
// 546.77; in Stripe's hundredths of a króna 44564.52, 74274.19 and 5467.74. What a proration leaves on the balance is
// in what is due of the next: of kwd 2971 − 2970 = 1, then 547 + 1 = 548; of isk 29709 − 29700 = 9, then 5468 + 9.
test.each<[Code, { seats: number[]; total: number; due: number; extra: number; next: number }, number[][]]>([
  [
    'usd',
    { seats: [-446, 743], total: 297, due: 297, extra: 55, next: 1535 },
    [
      [297, 297, 0],
      [55, 55, 0],
    ],
  ],
  [
    'jpy',
    { seats: [-446, 743], total: 297, due: 297, extra: 55, next: 1535 },
    [
      [297, 297, 0],
      [55, 55, 0],
    ],
  ],
  [
    'kwd',
    { seats: [-4456, 7427], total: 2971, due: 2970, extra: 547, next: 15_350 },
    [
      [2971, 2970, 1],
      [547, 550, -2],
    ],
  ],
  [
    'isk',
    { seats: [-446, 743], total: 297, due: 297, extra: 55, next: 1535 },
    [
      [29_709, 29_700, 9],
      [5468, 5500, -23],
    ],
  ],
])('%s: seats, and an add-on that comes and goes', async (code, ours, stripes) => {
  const bob = await world.register(`${code}-team`, '2026-01-01T00:00:00Z', { quantity: 3 })
  await world.go(bob, '2026-01-17T00:00:00Z')
  const { preview: _seats, ...seats } = await change(bob, { quantity: 5 })
  expect(seats).toEqual({ lines: ours.seats, total: ours.total, due: ours.due })
  const stripe = (at: number) => {
    const [total, due, balance] = stripes[at] ?? []
    return { total, due, paid: due, balance }
  }
  expect(await world.lastAtStripe(bob)).toEqual(stripe(0))
  const { lines, total } = await change(bob, { addons: [{ addon: `${code}-extra`, quantity: 1 }] })
  expect({ lines, total }).toEqual({ lines: [ours.extra], total: ours.extra })
  expect(await world.lastAtStripe(bob)).toEqual(stripe(1))
  const off = await change(bob, { addons: [{ addon: `${code}-extra`, quantity: 0 }] })
  expect(off).toMatchObject({ total: ours.next, due: ours.next, preview: { takesEffect: 'periodEnd' } })
  await world.go(bob, '2026-02-01T02:00:00Z')
  expect(await world.paid(bob)).toContain(`2026-01-01 … 2026-02-01 subscription_cycle paid ${ours.next}`)
})

// 15 % of 3 × 307 = 921 is 138.15; of 9210 fils 1381.5, half a fils away from zero. 1001 less 200.
test.each<[Code, number[], { percent: number; amount: number }]>([
  ['usd', [783, 783], { percent: 783, amount: 801 }],
  ['jpy', [783, 783], { percent: 783, amount: 801 }],
  ['kwd', [7828, 7830], { percent: 7828, amount: 8010 }],
  // Of 92100 hundredths 13815: 78285 is due as 783 krónur.
  ['isk', [78_285, 78_300], { percent: 783, amount: 801 }],
])('%s: a coupon of a share, and one of an amount', async (code, [total, due], ours) => {
  const start = '2026-01-01T00:00:00Z'
  const eve = await world.register(`${code}-team`, start, { quantity: 3, coupons: ['percent'] })
  const max = await world.register(small(code), start, { coupons: [`${code}-off`] })
  await world.deliver()
  expect(await world.lastAtStripe(eve)).toMatchObject({ total, due, paid: due })
  expect((await world.read(eve, 'paid')).total.minor).toBe(BigInt(ours.percent))
  expect((await world.read(max, 'paid')).total.minor).toBe(BigInt(ours.amount))
})

test('what all of them pay in a month is told by currency', async () => {
  const { body } = await world.ask('GET', '/v1/subscription-stats')
  const revenue = body.revenue as unknown as { currency: string; mrr: Shown }[]
  // Small 1001, twice, and seats 5 × 307 and 3 × 307 = 4458; a coupon for once is no part of it.
  expect(revenue.map(({ currency, mrr }) => `${currency} ${mrr.minor}`).sort()).toEqual([
    'isk 4458',
    'jpy 4458',
    'kwd 44580',
    'usd 4458',
  ])
})
