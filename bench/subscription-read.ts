import { createClient } from '@lockstep/sdk'
import { freePort, startProcess } from '../test/support/process.ts'
import { type Bench, interleave, summarize } from './bench.ts'
import type { ReadLoad, ReadLoadResult } from './load/reads.ts'
import { ADMIN_KEY, openStage, runProgram } from './stage.ts'
import { teamCatalog } from './team-catalog.ts'

const CUSTOMERS = 40
const CONNECTIONS = 16
/** The engine compiles the service meanwhile: with 2 s the first pass was the lowest by far. */
const WARM_UP_SECONDS = 10

/** Subscriptions read one by one, by customer, and a page of customers, against bare routes of one query each. */
export const subscriptionRead: Bench = {
  name: 'subscription-read',
  unit: 'reads/s',
  bar: 0.5,
  run: async ({ seconds, note }) => {
    const stage = await openStage()
    const [simulatorPort, port] = [await freePort(), await freePort()]
    const simulator = await startProcess('packages/stripe-simulator/src/main.ts', {
      port: simulatorPort,
      args: ['--port', String(simulatorPort)],
    })
    const bare = await startProcess('bench/reference/bare-read.ts', {
      port,
      env: { PORT: String(port), DATABASE_URL: stage.databaseUrl },
    })
    try {
      const { url } = await stage.startService({
        STRIPE_API_BASE: simulator.url,
        STRIPE_API_KEY: 'sk_test_bench',
      })
      const client = createClient({ baseUrl: url, apiKey: ADMIN_KEY })
      await client.catalog.apply(teamCatalog)
      const paths: string[] = []
      for (let i = 0; i < CUSTOMERS; i += 1) {
        const wanted = { externalId: `user_${i}`, plan: 'team', paymentMethod: 'pm_card_visa' }
        const { id } = await client.registrations.create(wanted)
        const { customer, subscription } = await client.registrations.ended(id)
        paths.push(
          `/v1/subscriptions/${subscription}`,
          `/v1/subscriptions?customer=${customer}`,
          '/v1/customers',
        )
      }
      await stage.query(stage.databaseUrl, 'vacuum analyze')
      const read = async (at: string, length: number) => {
        const options: ReadLoad = {
          ...{ url: at, paths, apiKey: ADMIN_KEY },
          ...{ connections: CONNECTIONS, seconds: length },
        }
        const result = await runProgram<ReadLoadResult>('load/reads.ts', options)
        return result.reads / result.seconds
      }
      note('warming up')
      await read(bare.url, WARM_UP_SECONDS)
      await read(url, WARM_UP_SECONDS)
      const passes = await interleave(
        () => read(bare.url, seconds),
        () => read(url, seconds),
      )
      return summarize(passes, ({ reference, product }) => product / reference)
    } finally {
      await bare.stop()
      await simulator.stop()
      await stage.close()
    }
  },
}
