// What must hold whatever is done, in whatever order. `random/` has the commands and the checks;
// `npm run faults -- simulator --runs 10000` plays more of them.
import { expect, test } from 'vitest'
import { newTally, playStory } from './random/play.ts'
import { DAY, JAN_1, newWorld } from './world.ts'

test('2,000 random commands: sums, payments, states, periods and events hold', async () => {
  const tally = newTally()
  const breaches: string[] = []
  for (let seed = 1; tally.commands < 2000; seed++) {
    const breach = await playStory(seed, tally)
    if (breach !== undefined) breaches.push(breach)
  }
  expect(breaches).toEqual([])
  // Commands that are mostly refused would prove little.
  expect(tally.refused).toBeLessThan(tally.commands / 4)
}, 600_000)

test('the periods of a year of renewals tile it without gap or overlap', async () => {
  const world = await newWorld()
  const price = await world.price(1000)
  const { id, clock } = await world.customer({ at: JAN_1 + 30 * DAY })
  const subscription = await world.stripe.subscriptions.create({ customer: id, items: [{ price: price.id }] })
  for (let month = 1; month <= 12; month++) await world.advance(clock, JAN_1 + (30 + 31 * month) * DAY)
  const periods = (await world.invoices(subscription.id)).map((invoice) => invoice.lines.data[0]?.period)
  expect(periods.length).toBeGreaterThanOrEqual(13)
  for (const [i, period] of periods.entries()) {
    if (i > 0) expect(period?.start).toBe(periods[i - 1]?.end)
  }
  await world.close()
})
