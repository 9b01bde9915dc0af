import { sql } from 'kysely'
import { CannotStart } from '../cannot-start.ts'
import { wallClock, wallMilliseconds } from '../clock.ts'
import { connect, type Db } from '../postgres/connect.ts'
import { pendingOf, readMigrations } from '../postgres/migrate.ts'
import { placeOf, waitForDatabase } from '../postgres/wait.ts'
import { type Check, fine, hint, wrong } from './check.ts'
import { examineInbox } from './inbox.ts'
import { examineRetention, type RetentionSet } from './usage-retention.ts'

/** Leases are told by the database's clock, invoices by ours: within a second both agree on a day. */
const MOST_SKEW_MS = 2000

/** Whether the database can be reached, is one we can use, and holds what belongs to this key. */
export async function examineDatabase(
  url: string,
  { livemode }: { livemode: boolean },
  retention: RetentionSet,
): Promise<Check[]> {
  try {
    await waitForDatabase(url, { timeoutSeconds: 3 })
  } catch (error) {
    if (error instanceof CannotStart) return [wrong('database', error.message, error.remedy)]
    throw error
  }
  const { db, close } = connect(url, { poolSize: 1 })
  try {
    const version = await sql<{
      version: string
    }>`select current_setting('server_version') as version`.execute(db)
    const found = fine('database', `Postgres ${version.rows[0]?.version} at ${placeOf(url)}.`)
    const migrated = await migrations(db)
    const rest = migrated.ok
      ? [
          await mode(db, livemode),
          await catalogue(db),
          await examineRetention(db, retention, wallClock.now()),
          ...(await inbox(db)),
        ]
      : []
    return [found, await skew(db), migrated, ...rest]
  } finally {
    await close()
  }
}

async function skew(db: Db): Promise<Check> {
  const asked = wallMilliseconds()
  const { rows } = await sql<{
    now: string
  }>`select (extract(epoch from clock_timestamp()) * 1000)::text as now`.execute(db)
  const middle = (asked + wallMilliseconds()) / 2
  const difference = Math.abs(Number(rows[0]?.now) - middle)
  if (difference <= MOST_SKEW_MS) return fine('clocks', 'This machine and the database agree on the time.')
  return wrong(
    'clocks',
    `This machine and the database are ${Math.round(difference / 1000)} s apart.`,
    'Synchronise both with NTP.',
  )
}

async function migrations(db: Db): Promise<Check> {
  const exists = await sql<{
    yes: boolean
  }>`select to_regclass('schema_migration') is not null as yes`.execute(db)
  const applied = exists.rows[0]?.yes
    ? await db.selectFrom('schemaMigration').selectAll().orderBy('name').execute()
    : []
  try {
    const pending = pendingOf(await readMigrations(), applied)
    if (pending.length === 0) return fine('migrations', `All ${applied.length} are applied.`)
    return wrong(
      'migrations',
      `${pending.length} are still to be applied.`,
      'Run `lockstep migrate`; a start does it too.',
    )
  } catch (error) {
    if (error instanceof CannotStart) return wrong('migrations', error.message, error.remedy)
    throw error
  }
}

async function mode(db: Db, livemode: boolean): Promise<Check> {
  const installation = await db.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
  const name = 'installation'
  if (installation.livemode === null)
    return fine(name, `${installation.instance}, not used with a provider yet.`)
  const [data, key] = [installation.livemode, livemode].map((live) => (live ? 'live' : 'test'))
  if (data === key)
    return fine(name, `${installation.instance}, ${data} data of ${installation.providerAccount}.`)
  return wrong(
    name,
    `The database holds ${data} data, STRIPE_API_KEY is a ${key} key.`,
    'Use the key that belongs to this database, or another database for this key.',
  )
}

/** Of a database that was never used with a provider there is nothing to say. */
async function inbox(db: Db): Promise<Check[]> {
  const { providerAccount: account, livemode } = await db
    .selectFrom('installation')
    .select(['providerAccount', 'livemode'])
    .executeTakeFirstOrThrow()
  if (account === null || livemode === null) return []
  return examineInbox(db, { account, livemode }, wallClock.now())
}

const MOST_PLANS_TOLD = 8

async function catalogue(db: Db): Promise<Check> {
  const plans = await db.selectFrom('plan').select('key').where('archivedAt', 'is', null).execute()
  if (plans.length === 0) {
    return hint(
      'catalogue',
      'There is no plan yet.',
      'Run `lockstep catalog apply FILE` with one of examples/ or your own.',
    )
  }
  return fine(
    'catalogue',
    `${plans.length} ${plans.length === 1 ? 'plan' : 'plans'}: ${plans
      .map(({ key }) => key)
      .slice(0, MOST_PLANS_TOLD)
      .join(', ')}${plans.length > MOST_PLANS_TOLD ? ', …' : '.'}`,
  )
}
