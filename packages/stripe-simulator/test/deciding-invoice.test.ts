// docs.stripe.com/billing/subscriptions/overview#subscription-statuses and .../pending-updates-reference
import { expect, test } from 'vitest'
import { sharedWorld } from './shared-world.ts'
import { DAY, HOUR, JAN_1 } from './world.ts'

const FEB_1 = JAN_1 + 31 * DAY
const FAILS = 'pm_card_chargeCustomerFail'

const world = await sharedWorld()

async function subscribed(recurring: { interval: 'week' | 'month' } = { interval: 'month' }) {
  const ada = await world.customer()
  const price = (await world.price(3100, { recurring })).id
  const { id, items } = await world.stripe.subscriptions.create({ customer: ada.id, items: [{ price }] })
  return { ada, id, item: items.data[0]?.id as string }
}

const status = async (id: string) => (await world.stripe.subscriptions.retrieve(id)).status

const moreSeats = (id: string, item: string, payment_behavior?: 'pending_if_incomplete') =>
  world.stripe.subscriptions.update(id, {
    items: [{ id: item, quantity: 2 }],
    proration_behavior: 'always_invoice',
    ...(payment_behavior && { payment_behavior }),
  })

test('the invoice finalized last decides, not the one made last: an upgrade does not pay for a renewal', async () => {
  const { ada, id, item } = await subscribed()
  await world.advance(ada.clock, FEB_1 + HOUR / 2)
  // The renewal is a draft for another half an hour. What is paid in it is the second seat.
  await moreSeats(id, item)
  expect((await world.invoices(id)).map(({ status }) => status)).toEqual(['paid', 'draft', 'paid'])
  await world.setCard(ada.id, FAILS)
  await world.advance(ada.clock, FEB_1 + HOUR)
  expect(await status(id)).toBe('past_due')
  await world.advance(ada.clock, FEB_1 + HOUR + 15 * DAY)
  expect(await status(id)).toBe('canceled')
})

test.each([
  { card: 'pm_card_visa', ends: 'active' },
  { card: FAILS, ends: 'canceled' },
] as const)(
  'an update that nobody paid for decides nothing: by $card the renewal is $ends',
  async ({ card, ends }) => {
    const { ada, id, item } = await subscribed()
    await world.setCard(ada.id, FAILS)
    await world.advance(ada.clock, FEB_1 + HOUR)
    await moreSeats(id, item, 'pending_if_incomplete')
    await world.advance(ada.clock, FEB_1 + DAY)
    expect((await world.invoices(id)).map(({ status }) => status)).toEqual(['paid', 'open', 'void'])
    expect(await status(id)).toBe('past_due')
    await world.setCard(ada.id, card)
    await world.advance(ada.clock, FEB_1 + HOUR + 15 * DAY)
    expect(await status(id)).toBe(ends)
  },
)

test('active does not say that every invoice is paid: an older one that fails again changes nothing', async () => {
  const { ada, id } = await subscribed({ interval: 'week' })
  await world.setCard(ada.id, FAILS)
  await world.advance(ada.clock, JAN_1 + 7 * DAY + HOUR)
  expect(await status(id)).toBe('past_due')
  // Its retries are after 3, 8 and 15 days; the next renewal is paid between the first and the second.
  await world.advance(ada.clock, JAN_1 + 14 * DAY)
  await world.setCard(ada.id, 'pm_card_visa')
  await world.advance(ada.clock, JAN_1 + 14 * DAY + HOUR)
  expect(await status(id)).toBe('active')
  await world.setCard(ada.id, FAILS)
  await world.advance(ada.clock, JAN_1 + 15 * DAY + HOUR)
  const [, older] = await world.invoices(id)
  expect(older).toMatchObject({ status: 'open', attempt_count: 3 })
  expect(await status(id)).toBe('active')
})
