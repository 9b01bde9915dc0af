import { type Bench, interleave, summarize } from './bench.ts'
import { CONNECTIONS, checkTables, newLoad, seed } from './ingest.ts'
import { openStage } from './stage.ts'

const BATCH = 100
/** Until then the engine is still compiling the services. */
const WARM_UP_SECONDS = 10

/**
 * Usage in batches over HTTP at two processes of ours on one database, against one of them alone with as many connections.
 * On two cores, which one process and Postgres fill, it tells whether they are in each other's way.
 */
export const ingestProcesses: Bench = {
  name: 'ingest-processes',
  unit: 'events/s',
  bar: 0.9,
  run: async ({ seconds, note }) => {
    const stage = await openStage()
    try {
      const [one, other] = [await stage.startService(), await stage.startService()]
      await seed(stage)
      const alone = newLoad(one.url, BATCH)
      const halves = [one, other].map(({ url }) => newLoad(url, BATCH, CONNECTIONS / 2))
      const both = async (seconds: number) => {
        const rates = await Promise.all(halves.map((load) => load.run(seconds)))
        return rates.reduce((sum, rate) => sum + rate, 0)
      }
      note('warming up')
      await alone.run(WARM_UP_SECONDS)
      await both(WARM_UP_SECONDS)
      const passes = await interleave(
        async () => {
          await stage.checkpoint()
          return alone.run(seconds)
        },
        async () => {
          await stage.checkpoint()
          return both(seconds)
        },
      )
      note('checking')
      const loads = [alone, ...halves]
      await checkTables(stage, {
        events: loads.reduce((sum, { sent }) => sum + sent.events, 0),
        thousandths: loads.reduce((sum, { sent }) => sum + sent.thousandths, 0),
      })
      const remarks = loads.flatMap((load, i) =>
        load.remarks().map((remark) => `${['alone', 'one of two', 'the other'][i]}: ${remark}`),
      )
      return summarize(passes, ({ reference, product }) => product / reference, remarks)
    } finally {
      await stage.close()
    }
  },
}
