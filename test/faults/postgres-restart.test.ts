import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ConnectionError, ProblemError } from '@lockstep/sdk/problem-error'
import { connect } from '@lockstep/service/postgres/connect'
import { startEmbeddedPostgres } from '@lockstep/service/postgres/embedded'
import { expect, test } from 'vitest'
import { atRest } from '../support/at-rest.ts'
import { checkWorld } from '../support/check-world.ts'
import { newWorld } from '../support/world.ts'

const CUSTOMERS = 18
/** Postgres is stopped in the middle of everything when so many registrations have been answered. */
const RESTARTS = [3, 8, 13]

const catalog = {
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: {
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month' as const,
      prices: { fee: { kind: 'recurring' as const, model: 'flat' as const, amount: '9.00' } },
    },
  },
}

test('Postgres stops at once three times while customers register: all are registered, each once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-restart-'))
  // Root's Postgres runs as another user, who has to get in.
  await chmod(folder, 0o755)
  const directory = join(folder, 'postgres')
  let postgres = await startEmbeddedPostgres({ directory })
  const world = await newWorld({ env: { DATABASE_URL: postgres.url } })
  const { client } = world

  /** What got no answer, or one of a database that is away, is asked again under the same key. */
  async function ask<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await request()
      } catch (error) {
        const again =
          error instanceof ConnectionError ||
          (error instanceof ProblemError && (error.status >= 500 || error.code === 'idempotency_key_in_use'))
        if (!again) throw error
        await pause(50)
      }
    }
  }

  async function restart(): Promise<void> {
    const [pid] = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')
    // An immediate shutdown: no checkpoint, every session is cut, what was committed is in the log.
    process.kill(Number(pid), 'SIGQUIT')
    postgres = await startEmbeddedPostgres({ directory })
  }

  try {
    await ask(() => client.catalog.apply(catalog, { idempotencyKey: randomUUID() }))
    let [asked, answered] = [0, 0]
    const states: string[] = []
    async function caller(): Promise<void> {
      while (asked < CUSTOMERS) {
        asked += 1
        const body = { externalId: `user_${asked}`, plan: 'team', paymentMethod: 'pm_card_visa' }
        const key = { idempotencyKey: randomUUID() }
        const { id } = await ask(() => client.registrations.create(body, key))
        states.push((await ask(() => client.registrations.ended(id))).state)
        answered += 1
        if (RESTARTS.includes(answered)) await restart()
      }
    }
    await Promise.all(Array.from({ length: 6 }, caller))
    expect(states).toEqual(Array(CUSTOMERS).fill('completed'))

    const { pool, close } = connect(postgres.url)
    try {
      await atRest({ db: pool, simulatorUrl: world.simulatorUrl })
      expect(await checkWorld({ db: pool, stripe: world.stripe })).toEqual([])
      const { rows } = await pool.query('select count(*)::int as count from subscription')
      expect(rows).toEqual([{ count: CUSTOMERS }])
    } finally {
      await close()
    }
  } catch (error) {
    throw new Error(`The service said:\n${world.output()}`, { cause: error })
  } finally {
    await world.close()
    await postgres.stop({ discard: true })
    await rm(folder, { recursive: true, force: true })
  }
})
