import { PgBoss } from 'pg-boss'
import type { Log } from '../log.ts'

/** Its tables stand beside ours, in a schema of their own. */
const SCHEMA = 'pgboss'

/**
 * Starts the job queue. It carries wall-clock work only: what a customer is due is a row of ours.
 * A process of role `api` only sends jobs; `supervise` is for those that also work.
 */
export async function startBoss(
  { databaseUrl, log }: { databaseUrl: string; log: Log },
  { supervise }: { supervise: boolean },
): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: databaseUrl,
    application_name: 'lockstep jobs',
    schema: SCHEMA,
    max: 4,
    supervise,
    schedule: supervise,
    // The job of a killed worker is seen as dead when it expires, and that is looked for this often;
    // left alone it would be once a minute.
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
    cronMonitorIntervalSeconds: 15,
    cronWorkerIntervalSeconds: 5,
  })
  boss.on('error', (err) => log.warn({ err }, 'job queue'))
  boss.on('warning', (warning) => log.warn({ warning: warning.message }, 'job queue'))
  await boss.start()
  return boss
}
