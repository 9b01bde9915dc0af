import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { CannotStart } from '../cannot-start.ts'
import { codeOf, isDatabaseUnavailable } from './unavailable.ts'

const OLDEST_VERSION = 15

/** Where a database is, without its password: `db.example:5432/billing`. */
export function placeOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url)
    return `${hostname || 'localhost'}:${port || '5432'}${pathname}`
  } catch {
    return 'the address in DATABASE_URL'
  }
}

/**
 * Returns as soon as the database answers and is one we can use. One that is still coming up is
 * waited for; one that refuses us will not change its mind, so that is said at once.
 */
export async function waitForDatabase(url: string, { timeoutSeconds = 15 } = {}): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000
  for (;;) {
    const failure = await tryOnce(url)
    if (failure === undefined) return
    if (!isDatabaseUnavailable(failure) || performance.now() > deadline) throw cannotStart(failure, url)
    await delay(250)
  }
}

async function tryOnce(url: string): Promise<unknown> {
  let client: pg.Client
  try {
    client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  } catch (error) {
    return error
  }
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ version: string }>(
      "select current_setting('server_version_num') as version",
    )
    const major = Math.floor(Number(rows[0]?.version) / 10_000)
    if (major >= OLDEST_VERSION) return undefined
    return new CannotStart(
      `The database at ${placeOf(url)} is Postgres ${major}.`,
      `Lockstep needs Postgres ${OLDEST_VERSION} or newer: upgrade it, or name another one in DATABASE_URL.`,
    )
  } catch (error) {
    return error
  } finally {
    await client.end().catch(() => {})
  }
}

function cannotStart(failure: unknown, url: string): CannotStart {
  if (failure instanceof CannotStart) return failure
  const place = placeOf(url)
  const [what, remedy] = explain(codeOf(failure) ?? '', place)
  // The driver's own words help where ours end; they never carry the password.
  const said = failure instanceof Error && failure.message !== '' ? ` (${failure.message})` : ''
  return new CannotStart(`${what}${said}`, remedy, { cause: failure })
}

function explain(code: string, place: string): [what: string, remedy: string] {
  switch (code) {
    case 'ECONNREFUSED':
      return [`No database answers at ${place}.`, 'Start Postgres, or correct host and port in DATABASE_URL.']
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [`The host of ${place} is unknown.`, 'Correct the host name in DATABASE_URL.']
    case '28P01':
    case '28000':
      return [
        `The database at ${place} refuses this user or password.`,
        'Correct user and password in DATABASE_URL.',
      ]
    case '3D000':
      return [
        `There is no such database at ${place}.`,
        'Create it (createdb), or correct the name in DATABASE_URL.',
      ]
    case '53300':
      return [
        `The database at ${place} has no connection left.`,
        'Raise max_connections, or run fewer processes.',
      ]
    case '57P03':
      return [
        `The database at ${place} is still starting up.`,
        'Wait until it accepts connections, then start again.',
      ]
    default:
      return [
        `The database at ${place} cannot be used.`,
        'Check DATABASE_URL: postgres://user:password@host:5432/name',
      ]
  }
}
