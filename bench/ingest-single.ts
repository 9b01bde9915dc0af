import { freePort, startProcess } from '../test/support/process.ts'
import { type Bench, interleave, summarize } from './bench.ts'
import { checkTables, newLoad, seed } from './ingest.ts'
import { openStage } from './stage.ts'

/** As of `ingest-batch`: until then the engine is still compiling the service. */
const WARM_UP_SECONDS = 10

/** One event a request, against the least that a route can do which answers after its commit. */
export const ingestSingle: Bench = {
  name: 'ingest-single',
  unit: 'requests/s',
  bar: 0.6,
  run: async ({ seconds, note }) => {
    const stage = await openStage()
    const port = await freePort()
    const bare = await startProcess('bench/reference/bare-route.ts', {
      port,
      env: { DATABASE_URL: stage.referenceUrl, PORT: String(port) },
    })
    try {
      const service = await stage.startService()
      await seed(stage)
      const ours = newLoad(service.url, 1)
      const theirs = newLoad(bare.url, 1)
      note('warming up')
      await theirs.run(WARM_UP_SECONDS)
      await ours.run(WARM_UP_SECONDS)
      const passes = await interleave(
        async () => {
          await stage.checkpoint()
          return theirs.run(seconds)
        },
        async () => {
          await stage.checkpoint()
          return ours.run(seconds)
        },
      )
      note('checking')
      await checkTables(stage, ours.sent)
      const [found] = await stage.query<{ count: string }>(
        stage.referenceUrl,
        'select count(*) from bare_event',
      )
      if (Number(found?.count) !== theirs.sent.events) throw new Error('The reference lost rows.')
      return summarize(passes, ({ reference, product }) => product / reference, ours.remarks())
    } finally {
      await bare.stop()
      await stage.close()
    }
  },
}
