import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'pg'

const LONGEST_REST_MS = 60_000

/** Waits until nothing is due and nothing is in flight; what takes too long is for `checkWorld` to name. */
export async function atRest(db: Pool): Promise<void> {
  const deadline = performance.now() + LONGEST_REST_MS
  while (performance.now() < deadline) {
    const { rows } = await db.query<{ busy: string }>(`
      select (select count(*) from workflow where state in ('running', 'compensating'))
           + (select count(*) from provider_event where state = 'received')
           + (select count(*) from test_clock where advancing_to is not null) as busy`)
    if (Number(rows[0]?.busy) === 0) return
    await pause(50)
  }
}
