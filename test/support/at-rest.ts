import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'pg'

const LONGEST_REST_MS = 60_000

/**
 * Waits until the simulator has nothing left to deliver, not even what it will try again, and nothing is
 * due or in flight here. What is done here may have the simulator tell something new, so both are looked at
 * until nothing came between two looks. What takes too long is for `checkWorld`, or the test, to name.
 */
export async function atRest({ db, simulatorUrl }: { db: Pool; simulatorUrl: string }): Promise<void> {
  const deadline = performance.now() + LONGEST_REST_MS
  while (performance.now() < deadline) {
    // First that nothing comes any more, then that what came is done, and that nothing came of that.
    if (await isIdle(simulatorUrl, 10_000)) {
      const before = await standing(db)
      if (before.busy === 0 && (await isIdle(simulatorUrl, 0)) && isSame(before, await standing(db))) return
    }
    await pause(50)
  }
}

async function isIdle(simulatorUrl: string, timeoutMs: number): Promise<boolean> {
  const response = await fetch(`${simulatorUrl}/_simulator/idle?retries=true&timeout_ms=${timeoutMs}`)
  if (!response.ok) throw new Error(`The simulator refused: ${await response.text()}`)
  const { idle } = (await response.json()) as { idle: boolean }
  return idle
}

interface Standing {
  /** What is under way here. */
  readonly busy: number
  /** Events that came so far. */
  readonly events: number
}

async function standing(db: Pool): Promise<Standing> {
  const { rows } = await db.query<Standing>(`
    select ((select count(*) from workflow where state in ('running', 'compensating'))
         + (select count(*) from provider_event where state = 'received')
         + (select count(*) from operation where state in ('prepared', 'unknown'))
         + (select count(*) from test_clock where advancing_to is not null))::int as busy,
      (select count(*) from provider_event)::int as events`)
  const [row] = rows
  if (row === undefined) throw new Error('A count answered no row.')
  return row
}

const isSame = (one: Standing, other: Standing) => one.busy === other.busy && one.events === other.events
