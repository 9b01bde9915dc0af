import { crashImport } from '../test/faults/import.ts'
import { shareTestServer, startTestServer } from '../test/support/database.ts'
import type { Bench } from './bench.ts'

const CUSTOMERS = 2_000

/**
 * Requests to Stripe for the import of an account that nobody here knows, against the pages that its lists have. It
 * is counted and not timed, so once is enough.
 */
export const importCalls: Bench = {
  name: 'import-calls',
  unit: 'requests',
  bar: 0.95,
  run: async ({ note }) => {
    const server = await startTestServer()
    shareTestServer(server)
    try {
      note(`an account of ${CUSTOMERS} customers, imported`)
      const { calls, fewestCalls, breaches } = await crashImport({ customers: CUSTOMERS, kills: 0, seed: 1 })
      if (breaches.length > 0) throw new Error(breaches.join('\n'))
      const ratio = fewestCalls / calls
      return { value: calls, baseline: fewestCalls, ratio, ratios: [ratio], remarks: [] }
    } finally {
      await server.stop()
    }
  },
}
