import type { Pool } from 'pg'
import { expect, test } from 'vitest'
import type { TestDatabase } from '../../../test/support/database.ts'
import { connect } from '../src/postgres/connect.ts'
import { smallCatalog } from './support/catalogs.ts'
import { atStripe, type Installation, onDatabase } from './support/installation.ts'
import { sharedInstallation } from './support/shared.ts'

const { installation } = await sharedInstallation(smallCatalog)

/**
 * A process whose database is gone after so many statements: what it had sent is done, what it does
 * afterwards nobody hears. For everybody else that is a process which was killed there.
 */
async function mortal(
  statements: number,
): Promise<{ installation: Installation; died: () => boolean; bury(): Promise<void> }> {
  const { url } = installation.database
  const connection = connect(url, { poolSize: 5 })
  let left = Number.POSITIVE_INFINITY
  const dead = () => left <= 0
  mortalize(connection.pool, () => {
    left -= 1
    if (left < 0) throw new Error('The process is dead.')
  })
  const deps = { ...installation.deps, ...connection }
  const own = await onDatabase({ ...installation.database, ...connection } as TestDatabase, deps)
  left = statements
  return { installation: own, died: dead, bury: () => connection.close() }
}

function mortalize(pool: Pool, beat: () => void): void {
  const connectOf = pool.connect.bind(pool) as () => Promise<import('pg').PoolClient>
  const wrapped = new WeakSet<object>()
  const guarded = async () => {
    beat()
    const client = await connectOf()
    if (!wrapped.has(client)) {
      wrapped.add(client)
      const query = client.query.bind(client) as (...args: unknown[]) => unknown
      client.query = ((...args: unknown[]) => {
        beat()
        return query(...args)
      }) as typeof client.query
    }
    return client
  }
  pool.connect = guarded as unknown as typeof pool.connect
}

/** Somebody looks after the lease has run out, without waiting for it. */
async function recover(): Promise<void> {
  await installation.database.pool.query(
    `update workflow set lease_until = clock_timestamp() - interval '1 second', next_attempt_at = null where ended_at is null`,
  )
  await installation.workflows.resumeDue()
}

async function standing(externalId: string) {
  const { rows } = await installation.database.pool.query<{ state: string; slots: string; customer: string }>(
    `select w.state, c.id as customer,
       (select count(*) from subscription_slot s where s.customer_id = c.id) as slots
     from customer c join registration r on r.customer_id = c.id join workflow w on w.id = r.workflow_id
     where c.external_id = $1`,
    [externalId],
  )
  const { customers, subscriptions } = await atStripe(installation)
  const own = ({ metadata }: { metadata: Record<string, string> }) =>
    metadata.lockstep_customer === rows[0]?.customer
  return { rows, customers: customers.filter(own), subscriptions: subscriptions.filter(own) }
}

test('killed after any statement, a registration is finished by the next process, once', async () => {
  for (let statements = 1; ; statements += 1) {
    const externalId = `killed_${statements}`
    const process = await mortal(statements)
    const answered = await process.installation.ask('POST', '/v1/registrations', {
      externalId,
      plan: 'team',
      paymentMethod: 'pm_card_visa',
    })
    const survived = !process.died()
    await process.bury()
    await recover()

    const { rows, customers, subscriptions } = await standing(externalId)
    // Killed before anything was recorded, nothing was: not even the customer.
    if (rows.length === 0) {
      expect([customers.length, subscriptions.length], `after ${statements}`).toEqual([0, 0])
    } else {
      expect(rows, `after ${statements}`).toMatchObject([{ state: 'completed' }])
      expect([customers.length, subscriptions.length], `after ${statements}`).toEqual([1, 1])
    }
    if (survived) {
      expect(answered.status).toBe(201)
      expect(statements).toBeGreaterThan(20)
      return
    }
  }
})

test('killed after any statement, a refusal is undone by the next process, and the slot is free', async () => {
  for (let statements = 1; ; statements += 1) {
    const externalId = `refused_${statements}`
    const process = await mortal(statements)
    await process.installation.ask('POST', '/v1/registrations', {
      externalId,
      plan: 'team',
      paymentMethod: 'pm_card_chargeCustomerFail',
    })
    const survived = !process.died()
    await process.bury()
    await recover()

    const { rows, customers, subscriptions } = await standing(externalId)
    expect(subscriptions, `after ${statements}`).toEqual([])
    if (rows.length > 0) {
      expect(rows, `after ${statements}`).toMatchObject([{ state: 'rolledBack', slots: 0n }])
      expect(customers, `after ${statements}`).toHaveLength(1)
    }
    if (survived) return
  }
})

test('killed again during each recovery, it is finished all the same', async () => {
  for (let statements = 30; statements < 100; statements += 7) {
    const externalId = `thrice_${statements}`
    for (const life of [statements, 12, 18, 24]) {
      const process = await mortal(life)
      await process.installation
        .ask('POST', '/v1/registrations', { externalId, plan: 'team', paymentMethod: 'pm_card_visa' })
        .catch(() => undefined)
      await installation.database.pool.query(
        `update workflow set lease_until = null, next_attempt_at = null where ended_at is null`,
      )
      await process.installation.workflows.resumeDue().catch(() => undefined)
      await process.bury()
    }
    await recover()
    const { rows, customers, subscriptions } = await standing(externalId)
    expect(rows.map(({ state }) => state)).toEqual(['completed'])
    expect([customers.length, subscriptions.length]).toEqual([1, 1])
  }
})

test('of two processes that look at the same moment, one runs it', async () => {
  const externalId = 'shared'
  const process = await mortal(50)
  await process.installation.ask('POST', '/v1/registrations', {
    externalId,
    plan: 'team',
    paymentMethod: 'pm_card_visa',
  })
  await process.bury()
  const others = await Promise.all([mortal(1e9), mortal(1e9), mortal(1e9)])
  await installation.database.pool.query(
    `update workflow set lease_until = null, next_attempt_at = null where ended_at is null`,
  )
  const taken = await Promise.all(others.map(({ installation: { workflows } }) => workflows.resumeDue()))
  expect(taken.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
  const { rows, customers, subscriptions } = await standing(externalId)
  expect(rows).toMatchObject([{ state: 'completed' }])
  expect([customers.length, subscriptions.length]).toEqual([1, 1])
  for (const other of others) await other.bury()
})

test('a workflow of a kind that this version does not know is left alone', async () => {
  await installation.database.pool.query(
    `insert into workflow (id, kind, subject_id, input, state, created_at) values ('workflow_newer', 'teleport', 'x', '{}', 'running', now())`,
  )
  expect(await installation.workflows.resumeDue()).toBe(0)
  const { rows } = await installation.database.pool.query(
    `select state, lease_until from workflow where id = 'workflow_newer'`,
  )
  expect(rows).toEqual([{ state: 'running', lease_until: null }])
})
