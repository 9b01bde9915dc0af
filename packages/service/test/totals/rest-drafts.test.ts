// What comes when the rest of a subscription was billed already goes onto a further invoice, which shows what comes off it.
import { expect, test } from 'vitest'
import { shared } from '../support/shared.ts'
import { newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

test('a draft for what came late says its discounts and its tax, and becomes that', async () => {
  const { id: rate } = await world.stripe.taxRates.create({
    ...{ display_name: 'VAT', percentage: 19, inclusive: false },
  })
  const payer = await world.subscribed('plain', [await world.coupon({ percent_off: 20, name: 'Welcome' })])
  await world.stripe.subscriptions.update(payer.subscription, { default_tax_rates: [rate] })
  await world.deliver()
  await world.use(payer, '1000', '2026-01-12T00:00:00Z')
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await world.sync(payer)
  await world.go(payer, '2026-01-20T02:00:00Z')
  await world.use(payer, '500', '2026-01-13T00:00:00Z')
  await world.sync(payer)
  // 5.00 less a fifth is 4.00; 19 % of that is 0.76.
  expect(await world.read(payer, 'draft')).toMatchObject({
    ...{ subtotal: { minor: 500n }, discountTotal: { minor: 100n }, total: { minor: 476n }, unknown: [] },
    discounts: [{ name: 'Welcome', source: 'subscription', amount: { minor: 100n } }],
    tax: { amount: { minor: 76n }, certainty: 'certain' },
    amountDue: { minor: 476n },
  })
  await world.go(payer, '2026-01-20T04:00:00Z')
  expect((await world.atStripe(payer)).at(-1)?.invoice).toMatchObject({ status: 'paid', total: 476 })
})
