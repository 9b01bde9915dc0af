/**
 * `npm run declarations`: holds what is answered in each API version against the declarations of the client's
 * release of its time, as types. What it generates lies under node_modules/.cache.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { objects } from '../declarations/objects.ts'
import { renderers } from '../src/registry.ts'
import { majors, releases } from '../test/clients.ts'
import { copyAmbient } from './declared-releases.ts'
import { releaseCheck } from './release-check.ts'

const modules = join(import.meta.dirname, '../../../node_modules')
const cache = join(modules, '.cache/stripe-declarations')
mkdirSync(cache, { recursive: true })
copyAmbient(modules, cache)
for (const major of majors) {
  const check = releaseCheck(major, releases[major], Math.max(...majors))
  writeFileSync(join(cache, `release-${major}.ts`), check)
}

/** An event is what it tells of. */
const missing = Object.keys(renderers).filter((name) => name !== 'event' && !(name in objects))
for (const name of missing) console.log(`${name} is rendered and not listed in declarations/objects.ts`)
const { status } = spawnSync('tsc', ['--noEmit', '-p', join(import.meta.dirname, '../declarations')], {
  stdio: 'inherit',
})
process.exitCode = missing.length > 0 ? 1 : (status ?? 1)
