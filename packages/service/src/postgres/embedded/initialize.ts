import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CannotStart } from '../../cannot-start.ts'
import { plainEnvironment } from './binaries.ts'
import { giveTo } from './cluster-home.ts'
import type { RunAs } from './run-as.ts'

const run = promisify(execFile)

const MAJOR_VERSION = '18'

/** Whether there is a cluster in `home`; refuses one that these binaries cannot open. */
export async function hasCluster(home: string): Promise<boolean> {
  const version = await readFile(join(home, 'data', 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw new CannotStart(
        `The embedded database in ${home} belongs to another user (${error.code}).`,
        'Start Lockstep as the user who started it first, or give it another directory.',
        { cause: error },
      )
    },
  )
  if (version === undefined || version.trim() === MAJOR_VERSION) return version !== undefined
  throw new CannotStart(
    `The embedded database in ${home} was made by Postgres ${version.trim()}; this is ${MAJOR_VERSION}.`,
    `Dump it with that version and restore it here. If it may be thrown away, delete ${home}.`,
  )
}

interface Initialize {
  readonly initdb: string
  readonly home: string
  readonly runAs: RunAs
  readonly durable: boolean
  readonly user: string
  readonly password: string
}

/** Makes a cluster: under another name first, so that a kill in the middle leaves no half one behind. */
export async function initialize({
  initdb,
  home,
  runAs,
  durable,
  user,
  password,
}: Initialize): Promise<void> {
  const half = join(home, 'data.new')
  const passwordFile = join(home, 'password.new')
  await rm(half, { recursive: true, force: true })
  await mkdir(half)
  await chmod(half, 0o700)
  await giveTo(runAs, half)
  await writeFile(passwordFile, password, { mode: 0o600 })
  await giveTo(runAs, passwordFile)
  try {
    await run(
      initdb,
      [
        `--pgdata=${half}`,
        `--username=${user}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Sorting by code point: the same on every machine, whatever locales it has.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        '--no-instructions',
        ...(durable ? [] : ['--no-sync']),
      ],
      { ...runAs, cwd: '/', env: plainEnvironment },
    )
  } catch (error) {
    throw new CannotStart(
      `The embedded database could not be made: ${saidBy(error)}`,
      `Check that ${home} is on a disk with free space and rights, or set DATABASE_URL to a Postgres of your own.`,
      { cause: error },
    )
  } finally {
    await rm(passwordFile, { force: true })
  }
  await rename(half, join(home, 'data'))
}

/** `initdb` explains itself on stderr; its reason for the unnamed user is worth a translation. */
function saidBy(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
  if (!said.includes('could not look up effective user ID')) return said
  return `user ${process.getuid?.()} has no name in /etc/passwd, which Postgres asks for. ${said}`
}
