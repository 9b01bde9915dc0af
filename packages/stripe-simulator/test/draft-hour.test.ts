// github.com/Kiln-AI/stripe_world, cassette 13 (2026-08-26.dahlia), steps 20 to 22: made at 1789995708, charged at
// 1789999308, finalized at 1789999309; advancing turned off, and on again a moment later.
import { afterAll, expect, test } from 'vitest'
import { HOUR, JAN_1, newWorld } from './world.ts'

const world = await newWorld()
const { stripe } = world
afterAll(world.close)

test('a draft that somebody made is charged an hour after it was made, and finalized within the second after', async () => {
  const { id: customer } = await stripe.customers.create({})
  const draft = await stripe.invoices.create({ customer, auto_advance: true })
  const hour = {
    next_payment_attempt: draft.created + HOUR,
    automatically_finalizes_at: draft.created + HOUR + 1,
  }
  expect(draft).toMatchObject(hour)
  expect(await stripe.invoices.update(draft.id, { auto_advance: false })).toMatchObject({
    next_payment_attempt: null,
    automatically_finalizes_at: null,
  })
  expect(await stripe.invoices.update(draft.id, { auto_advance: true })).toMatchObject(hour)
})

test('the time of a clock has no fractions; the hour runs from when the draft was made', async () => {
  const ada = await world.customer()
  const draft = await stripe.invoices.create({ customer: ada.id, auto_advance: true })
  const hour = { next_payment_attempt: JAN_1 + HOUR, automatically_finalizes_at: JAN_1 + HOUR }
  expect(draft).toMatchObject(hour)
  await stripe.invoices.update(draft.id, { auto_advance: false })
  await world.advance(ada.clock, JAN_1 + 600)
  expect(await stripe.invoices.update(draft.id, { auto_advance: true })).toMatchObject(hour)
  await stripe.invoices.update(draft.id, { auto_advance: false })
  // Later than that it begins anew.
  await world.advance(ada.clock, JAN_1 + 2 * HOUR)
  expect(await stripe.invoices.update(draft.id, { auto_advance: true })).toMatchObject({
    automatically_finalizes_at: JAN_1 + 3 * HOUR,
  })
})
