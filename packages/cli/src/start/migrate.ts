import { green } from '../output/style.ts'
import { UsageError } from '../usage-error.ts'
import { fromService } from './service-package.ts'

/** `lockstep migrate`: for those who want the database changed before the new version starts. */
export async function migrate(): Promise<void> {
  const url = process.env.DATABASE_URL
  if (!url) {
    throw new UsageError(
      'DATABASE_URL is not set.',
      'Name the database to migrate. The embedded one is migrated by `lockstep start`.',
    )
  }
  const service = await fromService(() => import('@lockstep/service/postgres/migrate'))
  const applied = await service.migrate(url)
  for (const name of applied) console.log(`${green('✓')} ${name}`)
  if (applied.length === 0) console.log(`${green('✓')} The database is up to date.`)
}
