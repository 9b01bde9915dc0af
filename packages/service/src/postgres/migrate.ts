import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { CannotStart } from '../cannot-start.ts'
import { waitForDatabase } from './wait.ts'

export const migrationsDirectory = new URL('../../sql/', import.meta.url)

/** How long a migration waits for a table that somebody reads: as long as it does, whoever comes later waits behind it. */
const LOCK_TIMEOUT = '900ms'
/** In between all that waited gets its turn. With the waits about three minutes in all. */
const PAUSE_MS = 2_000
const TRIES = 60
const LOCK_NOT_AVAILABLE = '55P03'

interface Migration {
  readonly name: string
  readonly text: string
  readonly sha256: Buffer
}

/** Any constant will do, as long as nothing else in the database takes the same advisory lock. */
const LOCK = 4_701_208_341n

/**
 * Waits for the database, brings it to the newest schema and returns the names of the files it applied. Each file
 * runs in its own transaction together with its record, so a failed one leaves nothing behind. One that cannot have its
 * tables within a second gives way and tries again, so that nobody waits behind it for as long as somebody else reads. Two
 * processes that start at once take turns; the second finds nothing left to do.
 */
export async function migrate(
  databaseUrl: string,
  { directory = migrationsDirectory }: { directory?: URL } = {},
): Promise<string[]> {
  const migrations = await readMigrations(directory)
  await waitForDatabase(databaseUrl)
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'lockstep migrate' })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    await client.query(`create table if not exists schema_migration (
      name text primary key, sha256 bytea not null, applied_at timestamptz not null default now())`)
    const { rows } = await client.query<Applied>('select name, sha256 from schema_migration order by name')
    const pending = pendingOf(migrations, rows)
    for (const migration of pending) await apply(client, migration)
    return pending.map(({ name }) => name)
  } finally {
    // Ending the session gives the lock back.
    await client.end()
  }
}

interface Applied {
  readonly name: string
  readonly sha256: Buffer
}

/** The files that are still to come. What has landed must be the beginning of the list, unchanged. */
export function pendingOf(migrations: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const known = new Set(migrations.map(({ name }) => name))
  const newer = applied.find(({ name }) => !known.has(name))
  if (newer) {
    throw new CannotStart(
      `The database is newer than this version of Lockstep: it has ${newer.name}.`,
      'Run the version of Lockstep that migrated it, or a newer one.',
    )
  }
  applied.forEach(({ name, sha256 }, i) => {
    const migration = migrations[i]
    if (migration?.name !== name) {
      throw new CannotStart(
        `${migration?.name} is numbered before ${name}, which has already been applied.`,
        `Give it a number after ${applied.at(-1)?.name}.`,
      )
    }
    if (!migration.sha256.equals(sha256)) {
      throw new CannotStart(
        `${name} has changed since it was applied to this database.`,
        'Restore the file and put the change into a new one. For a database that may be thrown away, drop it (embedded: delete .lockstep/postgres).',
      )
    }
  })
  return migrations.slice(applied.length)
}

/** The numbered `.sql` files in order. Line ends do not count: a checkout on Windows changes them. */
export async function readMigrations(directory: URL = migrationsDirectory): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = (await readFile(new URL(name, directory), 'utf8')).replaceAll('\r\n', '\n')
      return { name, text, sha256: createHash('sha256').update(text).digest() }
    }),
  )
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  for (let triesLeft = TRIES - 1; !(await tryToApply(client, migration, triesLeft)); triesLeft -= 1)
    await pause(PAUSE_MS)
}

/** False where a table was in use all the while: then nothing was done, and nobody waits behind it. */
async function tryToApply(
  client: pg.Client,
  { name, text, sha256 }: Migration,
  triesLeft: number,
): Promise<boolean> {
  try {
    await client.query('begin')
    await client.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
    await client.query(text)
    await client.query('insert into schema_migration (name, sha256) values ($1, $2)', [name, sha256])
    await client.query('commit')
    return true
  } catch (error) {
    await client.query('rollback').catch(() => {})
    const isHeld = error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE
    if (isHeld && triesLeft > 0) return false
    const said = error instanceof Error ? error.message : String(error)
    throw new CannotStart(
      `Migration ${name} failed: ${said}`,
      isHeld
        ? 'Nothing of it was kept. Somebody held a table for minutes, a backup or a report perhaps: `select * from pg_stat_activity` says who. Start again when it is done.'
        : "Nothing of it was kept. The user in DATABASE_URL must own the database or may create tables in its schema 'public'.",
      { cause: error },
    )
  }
}
