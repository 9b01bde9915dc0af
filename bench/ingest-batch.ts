import { type Bench, interleave, summarize } from './bench.ts'
import { CONNECTIONS, checkTables, newLoad, seed } from './ingest.ts'
import type { RawOptions, RawResult } from './reference/raw-insert.ts'
import { openStage, runProgram } from './stage.ts'

const BATCH = 100
/** Until then the engine is still compiling the service: with 2 s the first pass was always the lowest. */
const WARM_UP_SECONDS = 10

/** Usage in batches over HTTP, durable, deduplicated, rolled up, against the same rows inserted plainly. */
export const ingestBatch: Bench = {
  name: 'ingest-batch',
  unit: 'events/s',
  bar: 0.75,
  run: async ({ seconds, note }) => {
    const stage = await openStage()
    try {
      const service = await stage.startService()
      await seed(stage)
      const load = newLoad(service.url, BATCH)
      let inserted = 0
      const reference = async (seconds: number) => {
        const options: RawOptions = {
          databaseUrl: stage.referenceUrl,
          connections: CONNECTIONS,
          batchSize: BATCH,
          seconds,
        }
        const result = await runProgram<RawResult>('reference/raw-insert.ts', options)
        inserted += result.events
        return result.events / result.seconds
      }
      note('warming up')
      await reference(WARM_UP_SECONDS)
      await load.run(WARM_UP_SECONDS)
      const passes = await interleave(
        async () => {
          await stage.checkpoint()
          return reference(seconds)
        },
        async () => {
          await stage.checkpoint()
          return load.run(seconds)
        },
      )
      note('checking')
      await checkTables(stage, load.sent)
      const [found] = await stage.query<{ count: string }>(
        stage.referenceUrl,
        'select count(*) from raw_event',
      )
      if (Number(found?.count) !== inserted) throw new Error('The reference lost rows.')
      return summarize(passes, ({ reference, product }) => product / reference, load.remarks())
    } finally {
      await stage.close()
    }
  },
}
