import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

/** What the programs load that tests start and kill. */
const LOADED = ['packages/service/src/service.ts', 'packages/stripe-simulator/src/simulator.ts']

/**
 * A process keeps what it compiled when it ends by itself; one that is killed keeps nothing, and each of the hundreds that
 * tests start and kill would compile the whole service again. So once, before the first run, it is loaded and let end.
 * https://nodejs.org/docs/latest-v24.x/api/module.html#module-compile-cache
 */
export default async function setup(): Promise<void> {
  if (existsSync(process.env.NODE_COMPILE_CACHE ?? '')) return
  const load = LOADED.map(
    (path) => `await import(${JSON.stringify(new URL(`../../${path}`, import.meta.url))})`,
  )
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', load.join('\n')])
}
