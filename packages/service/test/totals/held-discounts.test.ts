// A customer's discount for one invoice, where two subscriptions end in the same moment: one of them has it.
import { expect, test } from 'vitest'
import { lookAt } from '../../src/workflow/look.ts'
import type { Payer } from '../support/billing-world.ts'
import { shared } from '../support/shared.ts'
import { newTotalsWorld } from './totals-world.ts'

const world = await shared(newTotalsWorld())

/** Each owes 10.00 for usage; the customer has 5.00 off one invoice. Both are over, and neither was billed. */
async function twoOver(): Promise<readonly [Payer, Payer]> {
  const one = await world.subscribed()
  const other = await world.registerAlso(one, 'leveled', 'second')
  await world.deliver()
  await world.go(one, '2026-01-25T00:00:00Z')
  const five = await world.coupon({ amount_off: 500, currency: 'usd', duration: 'once' })
  world.simulator.control.discountCustomer(one.customer, five)
  await world.deliver()
  await world.use(one, '1000', '2026-01-22T00:00:00Z')
  await world.use(one, '1000', '2026-01-22T00:00:00Z', 'level')
  for (const { subscription: id } of [one, other]) {
    await world.stripe.subscriptions.cancel(id)
    await lookAt(world.deps, { type: 'subscription', id })
  }
  return [one, other]
}

/** Stripe does not say whether it makes the next invoice, as if the process had died at that. */
const unanswered = () =>
  world.simulator.control.fail({ kind: 'error_500', method: 'POST', path: '/v1/invoices', times: 6 })

async function totals(payer: Payer): Promise<(number | null)[]> {
  await world.deliver()
  return (await world.atStripe(payer)).slice(-2).map(({ invoice }) => invoice.total)
}

test('one that is being invoiced with it has it, and the other goes without', async () => {
  const [one, other] = await twoOver()
  unanswered()
  await expect(world.sync(one)).rejects.toThrow()
  await world.sync(other)
  expect((await world.read(other, 'closing')).total).toMatchObject({ minor: 1000n })
  await world.sync(one)
  expect((await world.read(one, 'closing')).total).toMatchObject({ minor: 500n })
  expect(await totals(one)).toEqual([1000, 500])
})

test('two processes at once', async () => {
  const [one, other] = await twoOver()
  await Promise.all([world.sync(one), world.sync(other)])
  expect(new Set(await totals(one))).toEqual(new Set([500, 1000]))
})

test('an invoice that is refused lets go of it', async () => {
  const [one, other] = await twoOver()
  const held = () => world.db.selectFrom('heldDiscount').select('id').execute()
  const before = await held()
  // A method of nobody's cannot be charged: no invoice is made with it.
  await world.db
    .updateTable('providerObject')
    .set({ raw: JSON.stringify({ default_payment_method: 'pm_of_nobody' }) })
    .where('id', '=', one.subscription)
    .execute()
  await expect(world.sync(one)).rejects.toThrow()
  expect(await held()).toEqual(before)
  await world.sync(other)
  expect((await world.read(other, 'closing')).total).toMatchObject({ minor: 500n })
})
