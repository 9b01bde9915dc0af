import { defineCatalog } from '@lockstep/core/catalog'
import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSimulator } from '../../../test/support/simulator.ts'
import { flatPlan } from './support/catalogs.ts'
import { type Installation, newInstallation } from './support/installation.ts'
import { newSubscriber } from './support/subscriber.ts'

// The invoice of a renewal is a draft for an hour, and nobody pays it once the subscription ends.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    small: flatPlan('Small', '5.00'),
    basic: flatPlan('Basic', '10.00'),
    year: { ...flatPlan('Year', '120.00'), interval: 'year' },
  },
})

let simulator: Simulator
let installation: Installation
beforeAll(async () => {
  simulator = await newSimulator({ settings: { unlimitedClocks: true } })
  installation = await newInstallation(simulator, catalog)
})
afterAll(async () => {
  await simulator.close()
  await installation.close()
})

async function leftYear() {
  const ada = await newSubscriber(installation, 'year')
  await ada.turn('2026-03-01T00:00:00Z')
  expect((await ada.change({ plan: 'basic', when: 'now' })).status).toBe(200)
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
