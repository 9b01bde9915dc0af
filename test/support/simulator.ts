import { wallClock } from '@lockstep/service/clock'
import { createLog } from '@lockstep/service/log'
import { openProvider, type Provider } from '@lockstep/service/provider/stripe/account'
import Stripe from 'stripe'
import { type Simulator, type SimulatorOptions, startSimulator } from 'stripe-simulator'
import type { TestDatabase } from './database.ts'

/** A simulator on a free port that takes any test key. Close it after the file. */
export function newSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({ port: 0, seed: 1, ...options })
}

/** For whoever looks at it or works in its dashboard, on a machine however slow. */
export function patientStripe({ url }: Simulator): Stripe {
  const { hostname, port } = new URL(url)
  const options = { protocol: 'http' as const, host: hostname, port, maxNetworkRetries: 2, timeout: 600_000 }
  return new Stripe('sk_test_lockstep', options)
}

/** Our side of it: what is opened for a database, waiting as good as nothing, with repeatable chance. */
function providerOf(
  { db, pool }: Pick<TestDatabase, 'db' | 'pool'>,
  simulator: Simulator,
): Promise<Provider> {
  let seed = 1
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  return openProvider(
    { db, pool },
    {
      apiKey: 'sk_test_lockstep',
      apiBase: simulator.url,
      pace: { random, wait: (milliseconds) => soon(Math.min(milliseconds, 2)) },
      timeoutMs: 10_000,
    },
  )
}

const soon = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** What most functions of the service ask for, on a test database and a simulator. */
export async function serviceDeps(database: TestDatabase, simulator: Simulator) {
  const { db, pool } = database
  // Copies of one template would all be the same installation, and find each other's objects.
  await pool.query(
    `update installation set instance = 'instance_' || replace(gen_random_uuid()::text, '-', '')`,
  )
  const provider = await providerOf(database, simulator)
  const config = { secrets: ['a secret of the tests, long enough'] }
  return { db, pool, provider, config, clock: wallClock, log: createLog({ logLevel: 'silent' }) }
}
