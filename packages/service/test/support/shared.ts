import type { Catalog } from '@lockstep/core/catalog'
import { afterAll } from 'vitest'
import { newSimulator } from '../../../../test/support/simulator.ts'
import { newInstallation } from './installation.ts'
import type { ServerWanted } from './server.ts'

/**
 * What all tests of a file share, closed after them:
 *
 * ```ts
 * const world = await shared(newBillingWorld())
 * ```
 */
export async function shared<T extends { close(): Promise<void> }>(made: T | Promise<T>): Promise<T> {
  const one = await made
  afterAll(() => one.close())
  return one
}

/**
 * A simulator and an installation beside it, for the tests of a file. Its clocks have as many customers as a test makes, and turn as
 * far as it wants.
 */
export async function sharedInstallation(catalog?: Catalog, wanted?: ServerWanted) {
  const simulator = await newSimulator({ settings: { unlimitedClocks: true } })
  const installation = await newInstallation(simulator, catalog, wanted)
  afterAll(async () => {
    await simulator.close()
    await installation.close()
  })
  return { simulator, installation }
}
