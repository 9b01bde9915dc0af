// docs.stripe.com/currencies: refunds end in the same digits as charges
import { describe, expect, test } from 'vitest'
import type { Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'
import { type Code, newMoneyWorld, price, type Shown } from './money-world.ts'

const world = await shared(newMoneyWorld())

const minor = (amount: unknown) => Number((amount as Shown).minor)

async function atStripe({ customer }: Payer) {
  const found = await world.stripe.customers.retrieve(customer)
  const { data: charges } = await world.stripe.charges.list({ customer, limit: 100 })
  const refunded = charges.reduce((sum, { amount_refunded: amount }) => sum + amount, 0)
  return { balance: 'balance' in found ? found.balance : Number.NaN, refunded }
}

// 15 of 31 days of 1001 are 484.35; of 10010 fils 4843.55, so 4844, given back as 4840, the nearest ten; of Stripe's
// hundredths of a króna 48435, given back as 484 krónur.
test.each<[Code, number, { unused: number; back: number }]>([
  ['usd', 484, { unused: -484, back: 484 }],
  ['jpy', 484, { unused: -484, back: 484 }],
  ['kwd', 4840, { unused: -4844, back: 4840 }],
  ['isk', 48_400, { unused: -484, back: 484 }],
])('%s: unused time goes back to the card or to the balance, as previewed', async (code, stripes, ours) => {
  for (const unusedTime of ['refund', 'credit']) {
    const payer = await world.register(`${code}-small`, '2026-01-01T00:00:00Z')
    await world.go(payer, '2026-01-17T00:00:00Z')
    const path = `/v1/subscriptions/${payer.subscriptionId}/cancel`
    const wish = { when: 'now', unusedTime }
    const { body: preview } = await world.ask('POST', `${path}/preview`, wish)
    expect((preview.unusedTime as unknown as { amount: Shown }[]).map(({ amount }) => minor(amount))).toEqual(
      [ours.unused],
    )
    expect(minor(preview.toGiveBack)).toBe(ours.back)
    const { status, body } = await world.ask('POST', path, wish)
    expect([status, body.givenBack]).toMatchObject([200, { problem: null, amount: preview.toGiveBack }])
    expect(await atStripe(payer)).toEqual(
      unusedTime === 'refund' ? { refunded: stripes, balance: 0 } : { refunded: 0, balance: -stripes },
    )
  }
})

describe.each<[Code, { fee: number; part: number; credit: number; fine: string; stripe: number }]>([
  ['usd', { fee: 1001, part: 333, credit: 200, fine: '3.335', stripe: 1 }],
  ['jpy', { fee: 1001, part: 333, credit: 200, fine: '333.5', stripe: 1 }],
  ['kwd', { fee: 10_010, part: 3330, credit: 2000, fine: '3.335', stripe: 1 }],
  ['isk', { fee: 1001, part: 333, credit: 200, fine: '333.5', stripe: 100 }],
])('%s', (code, { fee, part, credit, fine, stripe }) => {
  test('a refund and a credit note take their parts, and no finer ones', async () => {
    const payer = await world.register(`${code}-small`, '2026-01-01T00:00:00Z')
    await world.deliver()
    const { invoice } = await world.read(payer, 'paid')
    const [refunds, notes] = ['refunds', 'credit-notes'].map((what) => `/v1/invoices/${invoice.id}/${what}`)
    for (const path of [refunds, notes])
      expect(await world.ask('POST', `${path}?dryRun=false`, { amount: fine })).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', errors: [{ pointer: '#/amount', code: 'amount_invalid' }] },
      })
    const refund = await world.ask('POST', `${refunds}?dryRun=false`, { amount: price(code, 333) })
    expect([refund.status, minor(refund.body.amount)]).toEqual([201, part])
    const note = { amount: price(code, 200), paidPart: 'balance' }
    const made = await world.ask('POST', `${notes}?dryRun=false`, note)
    expect([made.status, minor(made.body.credited)]).toEqual([201, credit])
    expect(await atStripe(payer)).toEqual({ refunded: part * stripe, balance: -credit * stripe })
    const left = await world.ask('POST', `${refunds as string}`, {})
    expect(minor(left.body.amount)).toBe(fee - part - credit)
  })
})

test('of what a proration came to in fils, all that was charged can be refunded, and no fils be credited', async () => {
  const payer = await world.register('kwd-small', '2026-01-01T00:00:00Z')
  await world.go(payer, '2026-01-17T00:00:00Z')
  const path = `/v1/subscriptions/${payer.subscriptionId}`
  expect(await world.ask('PATCH', path, { plan: 'kwd-big' })).toMatchObject({ status: 200 })
  await world.deliver()
  // 12111 − 4844 = 7267, of which 7270 were charged.
  const rows = await world.invoices(payer)
  const invoice = rows.find(({ total }) => total === 7267n)?.id
  const most = async (what: string) => world.ask('POST', `/v1/invoices/${invoice}/${what}`, {})
  expect(minor((await most('credit-notes')).body.total)).toBe(7260)
  const refunds = `/v1/invoices/${invoice}/refunds`
  expect(minor((await most('refunds')).body.amount)).toBe(7270)
  const all = await world.ask('POST', `${refunds}?dryRun=false`, { amount: '7.270' })
  expect(all).toMatchObject({ status: 201, body: { status: 'succeeded' } })
  expect(await world.ask('POST', refunds, { amount: '0.010' })).toMatchObject({
    status: 422,
    body: { code: 'refund_exceeds_payment' },
  })
})
