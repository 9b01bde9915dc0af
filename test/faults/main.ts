/** `npm run faults -- NAME --runs N --seed S`: a fault matrix, larger than the suite runs it. */
import { commandLine } from '../support/command-line.ts'
import { shareTestServer, startTestServer } from '../support/database.ts'
import { fuzzBodies } from './bodies.ts'
import { crash } from './crash.ts'
import { damage } from './drift.ts'
import { crashImport } from './import.ts'
import { playInbound } from './inbound/play.ts'
import { ingest } from './ingest.ts'
import { playAdversary } from './lifecycle/adversary.ts'
import { playLifecycle } from './lifecycle/play.ts'
import { cameTooLate } from './lifecycle/reason.ts'
import { playPlanChanges } from './plan-change/play.ts'
import { crashRegistrations } from './registrations.ts'
import { mutateSignatures } from './signatures.ts'
import { playSimulator } from './simulator.ts'
import { storm } from './storm.ts'
import { crashSyncs } from './syncs.ts'
import { registerTogether } from './together.ts'

interface Tally {
  passed: number
  failed: number
}

/** Each matrix by its name, with what `--runs` counts. */
const matrices: Readonly<Record<string, (tally: Tally) => Promise<void>>> = {
  // For each 50 runs in process a real SIGKILL, and for each 5 a round of identical sign-ups at once.
  registration: async (tally) => {
    await inProcess(tally)
    await together(tally, Math.ceil(runs / 5))
    await kills(tally, 'registration', Math.ceil(runs / 50))
  },
  // `--runs` counts commands that were not refused; the last story is played to its end.
  simulator,
  // `--runs` counts commands, as those of the simulator.
  lifecycle,
  // `--runs` counts changes; a customer makes five.
  'plan-change': planChange,
  // `--runs` counts moves; a customer makes forty.
  adversary,
  // For each 50 runs in process a real SIGKILL.
  sync: async (tally) => {
    await syncs(tally)
    await kills(tally, 'sync', Math.ceil(runs / 50))
  },
  // `--runs` counts events of one storm, as many signed bodies, and ten times as many signatures, true but for one thing, a million at most.
  inbox: async (tally) => {
    signatures(tally)
    await bodies(tally)
    await storms(tally)
  },
  // `--runs` counts what is done at Stripe, of which forty are of one account.
  inbound,
  // `--runs` counts different events; three of each ten that are sent were sent before, and there are up to 50 kills. With an even seed raw events are dropped meanwhile.
  ingest: takeUsageIn,
  // `--runs` counts customers; a fifth of them has two subscriptions.
  import: imported,
  // `--runs` counts damages, of which there are close to four dozen kinds.
  drift,
}

const usage = `Usage: npm run faults -- ${Object.keys(matrices).join('|')} [--runs 200] [--seed 1]
       lifecycle also [--deaths] [--kills]: in every portion`
const { values, positionals } = commandLine(usage, {
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    deaths: { type: 'boolean', default: false },
    kills: { type: 'boolean', default: false },
  },
})
const [name = ''] = positionals
const [runs, seed] = [Number(values.runs), Number(values.seed)]

const matrix = matrices[name]
if (!matrix) refuse(usage)
else if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed))
  refuse('--runs and --seed are whole numbers.')
else await run(matrix)

function refuse(sentence: string): void {
  console.error(sentence)
  process.exitCode = 2
}

async function run(work: (tally: Tally) => Promise<void>): Promise<void> {
  // The simulator has no database, and what kills Postgres has one of its own.
  const server = ['simulator', 'ingest'].includes(name) ? undefined : await startTestServer()
  if (server !== undefined) shareTestServer(server)
  const tally = { passed: 0, failed: 0 }
  try {
    await work(tally)
  } catch (error) {
    // Whatever breaks, the last line says so.
    console.log('The run broke off.', error)
    tally.failed += 1
  } finally {
    await server?.stop()
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed`)
  process.exitCode = tally.failed === 0 ? 0 : 1
}

/** Registrations in processes that die after each statement, in portions that tell how far it came. */
async function inProcess(tally: Tally): Promise<void> {
  const PORTION = 500
  for (let done = 0; done < runs; done += PORTION) {
    const portion = Math.min(PORTION, runs - done)
    const { ended, deaths, breaches } = await crashRegistrations({ runs: portion, seed: seed + done })
    const ends = Object.entries(ended).map(([end, count]) => `${count} ${end}`)
    console.log(
      `registration: ${done + portion} runs, ${deaths} deaths, ${ends.join(', ')}, ${breaches.length} breaches`,
    )
    report(tally, portion, breaches)
    for (const broken of new Set(breaches.flatMap((breach) => /^seed (\d+)/.exec(breach)?.[1] ?? [])))
      console.log(`  replay: npm run faults -- registration --runs 1 --seed ${broken}`)
  }
}

/** Syncs in processes that die after each statement, in portions that tell how far it came. */
async function syncs(tally: Tally): Promise<void> {
  const PORTION = 50
  for (let done = 0; done < runs; done += PORTION) {
    const portion = Math.min(PORTION, runs - done)
    const { deaths, turns, breaches } = await crashSyncs({ runs: portion, seed: seed + done })
    const met = Object.entries(turns).map(([turn, count]) => `${count} ${turn}`)
    console.log(
      `sync: ${done + portion} runs, ${deaths} deaths, ${met.join(', ')}, ${breaches.length} breaches`,
    )
    report(tally, portion, breaches)
    for (const broken of new Set(breaches.flatMap((breach) => /^seed (\d+)/.exec(breach)?.[1] ?? [])))
      console.log(`  replay: npm run faults -- sync --runs 1 --seed ${broken}`)
  }
}

async function together(tally: Tally, rounds: number): Promise<void> {
  const { requests, breaches } = await registerTogether({ rounds, seed })
  console.log(`identical sign-ups: ${rounds} rounds, ${requests} requests, ${breaches.length} breaches`)
  report(tally, rounds, breaches)
}

/** Random commands to the simulator, in portions that tell how far it came; its stories have a seed each. */
async function simulator(tally: Tally): Promise<void> {
  let from = seed
  for (let done = 0; done < runs; ) {
    const played = await playSimulator({ runs: Math.min(500, runs - done), seed: from })
    const { commands, refused, breaches } = played
    done += commands
    from = played.seed
    console.log(`simulator: ${done} commands, ${refused} more refused, ${breaches.length} breaches`)
    report(tally, commands, breaches)
    for (const broken of breaches.flatMap((breach) => /^seed (\d+)/.exec(breach)?.[1] ?? []))
      console.log(`  replay: npm run faults -- simulator --runs 1 --seed ${broken}`)
  }
}

/**
 * Random lives of subscriptions, in portions that tell how far it came; each has a seed of its own. Of three portions one
 * has processes that die in the middle of requests, and one a service of its own that is killed.
 */
async function lifecycle(tally: Tally): Promise<void> {
  // Commands of a portion. Real processes take their time to start again.
  const portions = { living: 2500, deaths: 1200, kills: 300 }
  const all = ['living', 'deaths', 'kills'] as const
  const sorts = values.kills ? (['kills'] as const) : values.deaths ? (['deaths'] as const) : all
  let from = seed
  let turn = 0
  for (let done = 0; done < runs; turn += 1) {
    const sort = sorts[turn % sorts.length] ?? 'living'
    const portion = Math.min(portions[sort], runs - done)
    const how = { withDeaths: sort === 'deaths', withKills: sort === 'kills' }
    const {
      commands,
      lives,
      kills,
      breaches,
      seed: next,
    } = await playLifecycle({ runs: portion, seed: from, ...how })
    done += commands
    from = next
    const told = sort === 'kills' ? `, ${kills} kills` : sort === 'deaths' ? ' with deaths' : ''
    console.log(`lifecycle: ${done} commands, ${lives} more lives${told}, ${counted(breaches)}`)
    report(tally, commands, breaches)
    const option = sort === 'living' ? '' : ` --${sort}`
    for (const broken of breaches.flatMap((breach) => /^seed (\d+)/.exec(breach)?.[1] ?? []))
      console.log(`  replay: npm run faults -- lifecycle --runs 1 --seed ${broken}${option}`)
  }
}

/** Changes of chance, in portions that tell how far it came; each customer has a seed of its own. */
async function planChange(tally: Tally): Promise<void> {
  let from = seed
  for (let done = 0; done < runs; ) {
    const played = await playPlanChanges({ runs: Math.min(100, runs - done), seed: from })
    const { changes, sorts, breaches } = played
    done += changes
    from = played.seed
    const met = Object.entries(sorts).map(([sort, count]) => `${count} ${sort}`)
    console.log(`plan-change: ${done} changes, ${met.join(', ')}, ${breaches.length} breaches`)
    report(tally, changes, breaches)
    for (const broken of breaches.flatMap((breach) => /^seed (\d+)/.exec(breach)?.[1] ?? []))
      console.log(`  replay: npm run faults -- plan-change --runs 1 --seed ${broken}`)
  }
}

/** Customers who want to gain, in portions that tell how far it came; each has a seed of its own. */
async function adversary(tally: Tally): Promise<void> {
  let from = seed
  for (let done = 0; done < runs; ) {
    const {
      moves,
      seed: next,
      breaches,
    } = await playAdversary({ runs: Math.min(1000, runs - done), seed: from })
    done += moves
    from = next
    console.log(`adversary: ${done} moves, ${counted(breaches)}`)
    report(tally, moves, breaches)
    for (const broken of breaches.flatMap((breach) => /^seed (\d+)/.exec(breach)?.[1] ?? []))
      console.log(`  replay: npm run faults -- adversary --runs 1 --seed ${broken}`)
  }
}

/** Accounts that are changed at Stripe at random, in portions that tell how far it came; each has a seed of its own. */
async function inbound(tally: Tally): Promise<void> {
  let from = seed
  for (let done = 0; done < runs; ) {
    const played = await playInbound({ runs: Math.min(400, runs - done), seed: from })
    const { moves, sorts, events, breaches } = played
    done += moves
    from = played.seed
    const met = Object.entries(sorts).map(([sort, count]) => `${count} ${sort}`)
    console.log(`inbound: ${done} moves, ${met.join(', ')}, ${events} more events, ${counted(breaches)}`)
    report(tally, moves, breaches)
    for (const broken of breaches.flatMap((breach) => /^seed (\d+)/.exec(breach)?.[1] ?? []))
      console.log(`  replay: npm run faults -- inbound --runs 1 --seed ${broken}`)
  }
}

/** Those that say nothing but that the machine was too slow are failures too, and told apart. */
function counted(breaches: readonly string[]): string {
  const late = breaches.filter(cameTooLate).length
  return `${breaches.length} breaches${late > 0 ? `, ${late} of them for want of an answer in time` : ''}`
}

async function takeUsageIn(tally: Tally): Promise<void> {
  const every = Math.ceil(runs / 20)
  let told = 0
  const onProgress = (events: number) => {
    if (events < told + every) return
    told = events
    console.log(`ingest: ${events} of ${runs} events`)
  }
  const kills = Math.min(50, Math.ceil(runs / 4000))
  const run = { events: runs, kills, seed, expires: seed % 2 === 0, onProgress }
  const { sent, repeated, expired, breaches } = await ingest(run)
  console.log(
    `ingest seed ${seed}: ${runs} events, ${sent} sent, ${repeated} of them again, ${kills} kills, ${expired} expired, ${breaches.length} breaches`,
  )
  report(tally, runs, breaches)
}

/** Damages on either side, in portions that tell how far it came. */
async function drift(tally: Tally): Promise<void> {
  for (let done = 0; done < runs; done += 50) {
    const portion = Math.min(50, runs - done)
    const { kinds, breaches } = await damage({ runs: portion, seed: seed + done })
    console.log(
      `drift: ${done + portion} damages, ${kinds} kinds in this portion, ${breaches.length} breaches`,
    )
    report(tally, portion, breaches)
  }
}

/** One import of so many customers, killed up to ten times. */
async function imported(tally: Tally): Promise<void> {
  const verdict = await crashImport({ customers: runs, kills: 10, seed })
  const { subscriptions, deaths, calls, fewestCalls, breaches } = verdict
  console.log(
    `import: ${runs} customers, ${subscriptions} subscriptions, ${deaths} deaths, ${calls} calls for ${fewestCalls} pages, ${breaches.length} breaches`,
  )
  report(tally, runs, breaches)
}

/** Kills in portions of 20, each in a world of its own, so that a failing seed is quickly replayed. */
async function kills(tally: Tally, work: 'registration' | 'sync', count: number): Promise<void> {
  for (let done = 0; done < count; done += 20) {
    const portion = Math.min(20, count - done)
    const breaches = await killed(work, portion, seed + done)
    report(tally, portion, breaches)
  }
}

async function killed(
  work: 'registration' | 'sync',
  portion: number,
  portionSeed: number,
): Promise<readonly string[]> {
  try {
    const verdict = await crash({ runs: portion, seed: portionSeed, work })
    console.log(
      `${work} seed ${portionSeed}: ${portion} kills, ${verdict.registered} customers, ${verdict.usageEvents} usage events, ${verdict.breaches.length} breaches`,
    )
    return verdict.breaches
  } catch (error) {
    return [error instanceof Error ? `${error.message}\n${String(error.cause)}` : String(error)]
  }
}

function signatures(tally: Tally): void {
  const count = Math.min(1_000_000, runs * 10)
  const breaches = mutateSignatures({ runs: count, seed })
  console.log(`signatures: ${count} mutations, ${breaches.length} breaches`)
  report(tally, count, breaches)
}

async function bodies(tally: Tally): Promise<void> {
  const { stored, breaches } = await fuzzBodies({ runs, seed })
  console.log(`bodies: ${runs} signed ones that hold anything, ${stored} stored, ${breaches.length} breaches`)
  report(tally, runs, breaches)
}

/** One storm, however many events: what it has to stand is all of them at once. A kill for every thousand, and half as many in a burst. */
async function storms(tally: Tally): Promise<void> {
  const { events, objects, deliveries, breaches } = await storm({
    events: runs,
    objects: Math.ceil(runs / 20),
    seed,
    kills: Math.ceil(runs / 1000),
    burst: Math.ceil(runs / 2000),
    onProgress: (text) => console.log(`storm: ${text}`),
  })
  console.log(
    `storm seed ${seed}: ${events} events of ${objects} objects, ${deliveries} deliveries, ${breaches.length} breaches`,
  )
  report(tally, events, breaches)
  if (breaches.length > 0) console.log(`  replay: npm run faults -- inbox --runs ${runs} --seed ${seed}`)
}

function report(tally: Tally, portion: number, breaches: readonly string[]): void {
  for (const breach of breaches) console.log(`  ${breach}`)
  const failed = Math.min(portion, breaches.length)
  tally.failed += failed
  tally.passed += portion - failed
}
