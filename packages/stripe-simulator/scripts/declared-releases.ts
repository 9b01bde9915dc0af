import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Releases whose declarations cannot be loaded beside each other: all of them declare the ambient module `stripe`. */
const AMBIENT = [17, 18, 19, 20, 21]

/** Copies of the ambient declarations that differ in the name of the module only: `stripe@18`. */
export function copyAmbient(modules: string, cache: string): void {
  for (const major of AMBIENT) {
    const from = join(modules, `stripe-${major}`)
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
}

/** What the declarations of a release are imported from. */
export function moduleOf(major: number, newest: number): string {
  if (major === newest) return 'stripe'
  return AMBIENT.includes(major) ? `stripe@${major}` : `stripe-${major}`
}
