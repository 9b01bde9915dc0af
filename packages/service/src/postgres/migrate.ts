import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { CannotStart } from '../cannot-start.ts'
import { waitForDatabase } from './wait.ts'

export const migrationsDirectory = new URL('../../sql/', import.meta.url)

interface Migration {
  readonly name: string
  readonly text: string
  readonly sha256: Buffer
}

/** Any constant will do, as long as nothing else in the database takes the same advisory lock. */
const LOCK = 4_701_208_341n

/**
 * Waits for the database, brings it to the newest schema and returns the names of the files it applied. Each file
 * runs in its own transaction together with its record, so a failed one leaves nothing behind. Two
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

async function apply(client: pg.Client, { name, text, sha256 }: Migration): Promise<void> {
  try {
    await client.query('begin')
    await client.query(text)
    await client.query('insert into schema_migration (name, sha256) values ($1, $2)', [name, sha256])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    const said = error instanceof Error ? error.message : String(error)
    throw new CannotStart(
      `Migration ${name} failed: ${said}`,
      "Nothing of it was kept. The user in DATABASE_URL must own the database or may create tables in its schema 'public'.",
      { cause: error },
    )
  }
}
