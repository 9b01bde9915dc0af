import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'pg'

const LONGEST_REST_MS = 60_000

/**
 * Waits until the simulator has nothing left to deliver, not even what it will try again, and nothing is
 * due or in flight here. What takes too long is for `checkWorld` to name.
 */
export async function atRest({ db, simulatorUrl }: { db: Pool; simulatorUrl: string }): Promise<void> {
  const deadline = performance.now() + LONGEST_REST_MS
  while (performance.now() < deadline) {
    // First that nothing comes any more, then that what came is done.
    if ((await isIdle(simulatorUrl)) && !(await isBusy(db))) return
    await pause(50)
  }
}

async function isIdle(simulatorUrl: string): Promise<boolean> {
  const response = await fetch(`${simulatorUrl}/_simulator/idle?retries=true&timeout_ms=10000`)
  if (!response.ok) throw new Error(`The simulator refused: ${await response.text()}`)
  const { idle } = (await response.json()) as { idle: boolean }
  return idle
}

async function isBusy(db: Pool): Promise<boolean> {
  const { rows } = await db.query<{ busy: string }>(`
    select (select count(*) from workflow where state in ('running', 'compensating'))
         + (select count(*) from provider_event where state = 'received')
         + (select count(*) from operation where state in ('prepared', 'unknown'))
         + (select count(*) from test_clock where advancing_to is not null) as busy`)
  return Number(rows[0]?.busy) > 0
}
