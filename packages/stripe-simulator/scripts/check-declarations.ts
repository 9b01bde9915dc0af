/**
 * Holds what is answered in older API versions against the declarations of the client's older releases.
 *
 * Releases up to 21 all declare the ambient module `stripe` and cannot be loaded beside each other. Here they
 * are read under names of their own (`stripe@18`), as copies that differ in that name only.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const AMBIENT = [17, 18, 19, 20, 21]
const root = join(import.meta.dirname, '../../..')
const cache = join(root, 'node_modules/.cache/stripe-declarations')

for (const major of AMBIENT) {
  const from = join(root, 'node_modules', `stripe-${major}`)
  const { version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as { version: string }
  const to = join(cache, String(major))
  const stamp = join(to, 'version')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) continue
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  cpSync(join(from, 'types'), to, { recursive: true })
  for (const file of globSync('**/*.d.ts', { cwd: to })) {
    const path = join(to, file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replaceAll("declare module 'stripe'", `declare module 'stripe@${major}'`))
  }
  writeFileSync(stamp, version)
}

const project = join(import.meta.dirname, '../declarations')
const { status } = spawnSync('tsc', ['--noEmit', '-p', project], { stdio: 'inherit' })
process.exitCode = status ?? 1
