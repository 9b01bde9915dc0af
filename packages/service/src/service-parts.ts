import type { Pool } from 'pg'
import type { PgBoss } from 'pg-boss'
import type { Bell } from './bell.ts'
import type { Bus } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Db } from './postgres/connect.ts'
import type { Provider } from './provider/stripe/account.ts'
import type { Tax } from './tax/port.ts'
import type { SumsAhead } from './usage/sums-ahead.ts'
import type { Usage } from './usage/usage.ts'
import type { Workflows } from './workflow/workflows.ts'

/** Everything a running service consists of. Functions ask for the few parts they use. */
export interface ServiceParts {
  readonly config: Config
  readonly db: Db
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly provider: Provider
  readonly boss: PgBoss
  /** Rung by whoever wrote a row, heard by the worker that waits for it. */
  readonly bell: Bell
  readonly bus: Bus
  readonly workflows: Workflows
  readonly usage: Usage
  readonly sumsAhead: SumsAhead
  readonly tax: Tax
}
