import type { Simulator } from 'stripe-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSimulator } from '../../../test/support/simulator.ts'
import { newId } from '../src/ids.ts'
import { beginRegistration } from '../src/workflow/begin-registration.ts'
import { smallCatalog } from './support/catalogs.ts'
import { type Installation, newInstallation } from './support/installation.ts'

let simulator: Simulator
let installation: Installation

beforeAll(async () => {
  simulator = await newSimulator()
  installation = await newInstallation(simulator, smallCatalog)
})
afterAll(async () => {
  await simulator.close()
  await installation.close()
})

test('who came before the same wish was over, and waited here for longer than it took, learns of it', async () => {
  const wish = { externalId: 'ada', plan: 'team', quantity: 1, paymentMethod: 'pm_card_visa' }
  const { status, body } = await installation.ask('POST', '/v1/registrations', wish)
  expect([status, body.state]).toEqual([201, 'completed'])
  const again = (waitedSeconds?: () => number) =>
    beginRegistration(installation.deps, wish, {
      operation: newId('operation'),
      mayGivePlans: false,
      waitedSeconds,
    })
  expect(await again(() => 3600)).toEqual({ registrationId: body.id })
  // Who comes now wants a second one.
  await expect(again()).rejects.toMatchObject({ code: 'subscription_exists' })
})
