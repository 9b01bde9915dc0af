import { expect, test } from 'vitest'
import { shared } from '../support/shared.ts'
import { newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

test('the invoice of the rest is worded and paid as the renewal before it', async () => {
  const payer = await world.subscribed()
  const printed = {
    custom_fields: [{ name: 'Order', value: '4711' }],
    ...{ description: 'Thank you', footer: 'Berlin' },
  }
  await world.stripe.subscriptions.update(payer.subscription, {
    invoice_settings: printed,
    payment_settings: { payment_method_types: ['card', 'us_bank_account'] },
  })
  await world.go(payer, '2026-02-12T00:00:00Z')
  await world.use(payer, '1000', '2026-02-11T00:00:00Z')
  await world.stripe.subscriptions.cancel(payer.subscription)
  await world.deliver()
  await world.sync(payer)
  await world.go(payer, '2026-02-12T02:00:00Z')
  const [renewal, rest] = (await world.atStripe(payer)).slice(-2).map(({ invoice }) => invoice)
  expect([renewal?.total, rest?.total]).toEqual([2001, 1000])
  for (const invoice of [renewal, rest]) {
    expect(invoice).toMatchObject({
      ...printed,
      payment_settings: { payment_method_types: ['card', 'us_bank_account'] },
    })
  }
})
