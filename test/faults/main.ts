/** `npm run faults -- NAME --runs N --seed S`: a fault matrix, larger than the suite runs it. */
import { parseArgs } from 'node:util'
import { shareTestServer, startTestServer } from '../support/database.ts'
import { crash } from './crash.ts'

const later = ['inbox', 'ingest', 'import', 'lifecycle']
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
})
const [name = ''] = positionals
const [runs, seed] = [Number(values.runs), Number(values.seed)]

if (later.includes(name))
  refuse(`The fault matrix "${name}" comes with the capability it tests, which is not here yet.`)
if (name !== 'registration' && name !== 'sync')
  refuse('Say which one: npm run faults -- registration|sync [--runs 200] [--seed 1]')
else if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed))
  refuse('--runs and --seed are whole numbers.')
else await run(name)

function refuse(sentence: string): void {
  console.error(sentence)
  process.exitCode = 2
}

/** Kills in portions of 20, each in a world of its own, so that a failing seed is quickly replayed. */
async function run(work: 'registration' | 'sync'): Promise<void> {
  const server = await startTestServer()
  shareTestServer(server)
  let [passed, failed] = [0, 0]
  try {
    for (let done = 0; done < runs; done += 20) {
      const portion = Math.min(20, runs - done)
      const portionSeed = seed + done
      const breaches = await portionOf(work, portion, portionSeed)
      if (breaches.length === 0) passed += portion
      else {
        failed += portion
        for (const breach of breaches) console.log(`  ${breach}`)
        console.log(`  replay: npm run faults -- ${work} --runs ${portion} --seed ${portionSeed}`)
      }
    }
  } finally {
    await server.stop()
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

async function portionOf(
  work: 'registration' | 'sync',
  kills: number,
  portionSeed: number,
): Promise<readonly string[]> {
  try {
    const verdict = await crash({ runs: kills, seed: portionSeed, work })
    console.log(
      `${work} seed ${portionSeed}: ${kills} kills, ${verdict.registered} customers, ${verdict.usageEvents} usage events, ${verdict.breaches.length} breaches`,
    )
    return verdict.breaches
  } catch (error) {
    return [error instanceof Error ? `${error.message}\n${String(error.cause)}` : String(error)]
  }
}
