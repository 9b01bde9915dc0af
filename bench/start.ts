import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../test/support/process.ts'
import { type Bench, interleave, summarize } from './bench.ts'

const ALLOWED_SECONDS = 60
const root = fileURLToPath(new URL('..', import.meta.url))

/** The first `npm start` in an empty folder, until a whole invoice is printed, against a minute. */
export const start: Bench = {
  name: 'start',
  unit: 's',
  bar: 1,
  run: async ({ note }) => {
    const passes = await interleave(
      async () => ALLOWED_SECONDS,
      async () => {
        note('starting in an empty folder')
        return firstStart()
      },
    )
    return summarize(passes, ({ reference, product }) => reference / product)
  },
}

async function firstStart(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-start-'))
  await chmod(folder, 0o755)
  const began = performance.now()
  const child = spawn(process.execPath, ['packages/cli/src/main.ts', 'start'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOCKSTEP_DATA: join(folder, 'lockstep'),
      PORT: String(await freePort()),
      STRIPE_SIMULATOR_PORT: String(await freePort()),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  let output = ''
  let printed: number | undefined
  const read = (chunk: Buffer) => {
    output += chunk.toString()
    // The welcome is printed in one go; the total is the invoice's last line.
    if (printed === undefined && /owes at this moment[\s\S]*total/i.test(output)) {
      printed = (performance.now() - began) / 1000
      child.kill('SIGTERM')
    }
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  await exited
  await rm(folder, { recursive: true, force: true })
  if (printed === undefined) throw new Error(`No invoice was printed:\n${output}`)
  return printed
}
