import { defineCatalog } from '@lockstep/core/catalog'
import { expect, test } from 'vitest'
import { subscriptionDeedRoutes } from '../src/http/routes/subscription-deeds.ts'
import { flatPlan } from './support/catalogs.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// The invoice of a renewal is a draft for an hour, and nobody pays it once the subscription ends.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    small: flatPlan('Small', '5.00'),
    basic: flatPlan('Basic', '10.00'),
    year: { ...flatPlan('Year', '120.00'), interval: 'year' },
    seats: {
      ...{ name: 'Seats', product: 'app', interval: 'year' },
      prices: {
        seat: {
          ...{ kind: 'recurring', model: 'graduated' },
          tiers: [
            { upTo: '2', unitAmount: '30.00' },
            { upTo: '4', unitAmount: '20.00' },
            { upTo: null, unitAmount: '10.00' },
          ],
        },
      },
    },
  },
})

const { installation } = await sharedInstallation(catalog)
subscriptionDeedRoutes(installation.app, { ...installation.deps, workflows: installation.workflows })

async function leftYear(
  { plan, quantity }: { plan: string; quantity: number } = { plan: 'year', quantity: 1 },
) {
  const ada = await newSubscriber(installation, plan, { quantity })
  await ada.turn('2026-03-01T00:00:00Z')
  expect((await ada.change({ plan: 'basic', quantity: 1, when: 'now' })).status).toBe(200)
  const balance = async () => {
    const { customer } = await ada.atStripe()
    return 'balance' in customer ? customer.balance : Number.NaN
  }
  // 306 of 365 days were left.
  expect(await balance()).toBe(1000 - 10_060)
  return { ...ada, balance }
}

test('what was used up of a year that was left for a month pays for no time of a renewal that is a draft', async () => {
  const ada = await leftYear()
  await ada.turn('2026-04-01T00:00:00Z')
  const { status, body } = await ada.change({ plan: 'small', when: 'now' })
  expect([status, body.code]).toEqual([409, 'subscription_not_changeable'])
  expect(body.detail).toContain('10.00 usd would be given back')
  expect(body.detail).toContain('0.00 usd was paid')
  expect(await ada.balance()).toBe(-9060)
})

test('once the balance has paid the renewal, it may be credited', async () => {
  const ada = await leftYear()
  await ada.turn('2026-04-01T02:00:00Z')
  expect(await ada.balance()).toBe(-8060)
  expect((await ada.change({ plan: 'small', when: 'now' })).status).toBe(200)
  expect(await ada.balance()).toBeLessThan(-8060)
})

test('in the month for which a year was left, all that is left of it may be credited', async () => {
  const ada = await leftYear()
  expect((await ada.change({ plan: 'small', when: 'now' })).status).toBe(200)
  expect(await ada.balance()).toBe(500 - 10_060)
})

// 60.00, 40.00 and 20.00 for the steps of a year, and one credit of all three.
const seats = { plan: 'seats', quantity: 6 }

test('of a year that was billed by a line for each step nothing pays for that draft either', async () => {
  const ada = await leftYear(seats)
  await ada.turn('2026-04-01T00:00:00Z')
  const { status, body } = await ada.change({ plan: 'small', when: 'now' })
  expect([status, body.code]).toEqual([409, 'subscription_not_changeable'])
  expect(body.detail).toContain('10.00 usd would be given back')
  expect(body.detail).toContain('0.00 usd was paid')
  expect(await ada.balance()).toBe(-9060)
})

test.each<[string, string, number, string[]]>([
  ['in the hour of that draft', '2026-04-01T00:00:00Z', 0, ['notPaid 1000']],
  // Of 720 hours of April 718 are left.
  ['after it', '2026-04-01T02:00:00Z', 997, []],
])('an end %s gives back what was paid for the month', async (_, at, back, kept) => {
  const ada = await leftYear(seats)
  await ada.turn(at)
  const before = await ada.balance()
  const wish = { when: 'now', unusedTime: 'credit' }
  const { status, body } = await installation.ask('POST', `${ada.path}/cancel`, wish)
  expect(status).toBe(200)
  const { notGivenBack } = body.givenBack as { notGivenBack: { reason: string; amount: { minor: string } }[] }
  expect(notGivenBack.map(({ reason, amount }) => `${reason} ${amount.minor}`)).toEqual(kept)
  expect(before - (await ada.balance())).toBe(back)
})
