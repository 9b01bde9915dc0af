import { sql } from 'kysely'
import type { Connection } from './postgres/connect.ts'
import { pendingOf, readMigrations } from './postgres/migrate.ts'

export interface Readiness {
  readonly status: 'ready' | 'notReady'
  readonly checks: { name: string; ok: boolean; detail?: string }[]
}

/** Long enough for a slow answer, short enough for whoever asks every few seconds. */
const PATIENCE_MS = 3000

/** A function that says whether this process can work now: it reaches its database, of the right schema. */
export function readinessOf({ db }: Pick<Connection, 'db'>): () => Promise<Readiness> {
  return async () => {
    const checks = [await check('database', async () => void (await sql`select 1`.execute(db)))]
    if (checks[0]?.ok) {
      checks.push(
        await check('migrations', async () => {
          const applied = await db.selectFrom('schemaMigration').selectAll().orderBy('name').execute()
          const migrations = await readMigrations()
          // What a newer process of a rolling upgrade has added is none of ours, and does not stop us.
          const known = new Set(migrations.map(({ name }) => name))
          const pending = pendingOf(
            migrations,
            applied.filter(({ name }) => known.has(name)),
          )
          if (pending.length > 0) throw new Error(`${pending.length} migrations are still to be applied.`)
        }),
      )
    }
    return { status: checks.every(({ ok }) => ok) ? 'ready' : 'notReady', checks }
  }
}

async function check(name: string, test: () => Promise<void>): Promise<Readiness['checks'][number]> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), PATIENCE_MS)
  })
  try {
    await Promise.race([test(), tooLate])
    return { name, ok: true }
  } catch (error) {
    // The route is public: what exactly is wrong stands in the log and in `lockstep doctor`.
    return {
      name,
      ok: false,
      detail: error instanceof Error && !('code' in error) ? error.message : 'no connection',
    }
  } finally {
    clearTimeout(timer)
  }
}
