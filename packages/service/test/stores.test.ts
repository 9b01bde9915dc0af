import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newDatabase, newEmptyDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newId } from '../src/ids.ts'
import { migrate } from '../src/postgres/migrate.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { addApiKey, findApiKey, listApiKeys, revokeApiKey } from '../src/store/api-keys.ts'
import {
  addCustomer,
  findCustomer,
  listCustomers,
  lockCurrency,
  lockCustomer,
  unlockCurrency,
} from '../src/store/customers.ts'
import { deliveryFigures } from '../src/store/deliveries.ts'
import { claimRequest, completeRequest } from '../src/store/idempotency-keys.ts'
import { link, providerIdOf } from '../src/store/mappings.ts'
import { reset } from '../src/store/reset.ts'
import { reserveSlot } from '../src/store/subscriptions.ts'
import { sqlTime } from '../src/store/time.ts'

const AT = Date.parse('2026-01-31T09:30:00Z') / 1000
const own = process.env.TEST_OWN_DATABASE_URL

const newKey = (n: number) => ({
  id: newId('api_key'),
  name: `key ${n}`,
  prefix: 'lk_abc',
  keyHash: Buffer.alloc(32, n),
  scopes: ['usage:read', 'usage:write'],
  createdAt: sqlTime(AT),
})

const newCustomer = (externalId: string) => ({
  id: newId('customer'),
  externalId,
  name: 'Ada',
  email: null,
  testClockId: null,
  at: AT,
})

/** What every database has to do alike. */
function behavesLikeAStore(make: () => Promise<TestDatabase>): void {
  let database: TestDatabase
  beforeAll(async () => {
    database = await make()
  })
  beforeEach(() => reset(database.db))
  afterAll(() => database.drop())

  const add = (externalId: string) =>
    transaction(database.db, (trx) => addCustomer(trx, newCustomer(externalId)))
  const everyone = () => listCustomers(database.db, { limit: 100 })

  test('what is written is read back, and an empty table is empty', async () => {
    expect(await everyone()).toEqual([])
    expect(await add('user_1')).toBe(true)
    expect(await findCustomer(database.db, 'user_1')).toMatchObject({
      externalId: 'user_1',
      name: 'Ada',
      createdAt: AT,
    })
    expect(await findCustomer(database.db, 'user_2')).toBeUndefined()
  })

  test('an empty outbox has figures', async () => {
    expect(await deliveryFigures(database.db)).toEqual({
      waiting: 0,
      failed: 0,
      disabledEndpoints: 0,
      unmade: 0,
      oldestAt: null,
    })
  })

  test('a currency is not unlocked under somebody who takes a slot at that moment', async () => {
    await add('user_1')
    const id = (await findCustomer(database.db, 'user_1'))?.id ?? ''
    const waits = async () => {
      const { rows } = await database.pool.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      return rows.length
    }
    let unlocked: Promise<void> | undefined
    await transaction(database.db, async (trx) => {
      await lockCustomer(trx, 'user_1')
      await lockCurrency(trx, id, 'usd')
      await reserveSlot(trx, {
        customerId: id,
        slot: 'default',
        subscriptionId: newId('subscription'),
        at: AT,
      })
      unlocked = transaction(database.db, (other) => unlockCurrency(other, id))
      await expect.poll(waits).toBe(1)
    })
    await unlocked
    expect((await findCustomer(database.db, 'user_1'))?.currency).toBe('usd')
  })

  test('of twenty who add the same customer at one time one does', async () => {
    const added = await Promise.all(Array.from({ length: 20 }, () => add('user_1')))
    expect(added.filter(Boolean)).toHaveLength(1)
    expect(await everyone()).toHaveLength(1)
  })

  test('of two currencies at one time the first stays', async () => {
    await add('user_1')
    const [customer] = await everyone()
    const id = customer?.id ?? ''
    const locked = await Promise.all(
      ['usd', 'eur'].map((currency) => transaction(database.db, (trx) => lockCurrency(trx, id, currency))),
    )
    expect(locked.filter(Boolean)).toHaveLength(1)
    const winner = locked[0] ? 'usd' : 'eur'
    expect((await findCustomer(database.db, 'user_1'))?.currency).toBe(winner)
  })

  test('a key is found by its hash, listed in pages, and revoked once', async () => {
    const [first, second, third] = [newKey(1), newKey(2), newKey(3)]
    for (const key of [first, second, third]) await addApiKey(database.db, key)
    expect(await findApiKey(database.db, Buffer.alloc(32, 2))).toMatchObject({
      id: second.id,
      scopes: second.scopes,
    })
    const page = await listApiKeys(database.db, { limit: 2 })
    expect(page.data.map(({ id }) => id)).toEqual([third.id, second.id])
    const rest = await listApiKeys(database.db, { limit: 2, after: page.nextCursor ?? '' })
    expect(rest).toMatchObject({ data: [{ id: first.id }], hasMore: false, nextCursor: null })

    await revokeApiKey(database.db, first.id, sqlTime(AT + 1))
    await revokeApiKey(database.db, first.id, sqlTime(AT + 2))
    expect((await findApiKey(database.db, first.keyHash))?.revokedAt).toBe(AT + 1)
  })

  test('two keys never share a hash', async () => {
    await addApiKey(database.db, newKey(1))
    await expect(addApiKey(database.db, newKey(1))).rejects.toThrow('duplicate key')
  })

  test('of twenty equal requests at one time one is claimed, and its answer is found again', async () => {
    const request = () => ({
      caller: 'api_key_1',
      method: 'POST',
      path: '/v1/x',
      key: 'k',
      bodyHash: Buffer.alloc(32, 1),
      operation: newId('operation'),
      createdAt: sqlTime(AT),
    })
    const claims = await Promise.all(Array.from({ length: 20 }, () => claimRequest(database.db, request())))
    const claimed = claims.filter((claim) => claim.state === 'claimed')
    expect(claimed).toHaveLength(1)
    expect(claims.filter((claim) => claim.state === 'running')).toHaveLength(19)
    const operation = claimed[0]?.operation ?? ''
    await completeRequest(database.db, { operation, status: 201, response: ['x'], completedAt: sqlTime(AT) })
    expect(await claimRequest(database.db, request())).toEqual({
      state: 'completed',
      operation,
      status: 201,
      response: ['x'],
    })
  })

  test('an object of ours is linked to one of the provider’s and to no other', async () => {
    const account = { account: 'acct_1', livemode: false }
    const mapping = {
      entityType: 'customer',
      entityId: 'customer_1',
      providerType: 'customer',
      origin: 'outbound',
      at: AT,
    } as const
    const linked = await Promise.all(
      ['cus_1', 'cus_2', 'cus_3'].map((providerId) => link(database.db, account, { ...mapping, providerId })),
    )
    expect(new Set(linked).size).toBe(1)
    expect(await providerIdOf(database.db, 'customer', 'customer_1')).toBe(linked[0])
  })

  test('a reset empties everything but who the installation is', async () => {
    await add('user_1')
    const before = await database.db.selectFrom('installation').selectAll().execute()
    await reset(database.db)
    expect(await everyone()).toEqual([])
    expect(await database.db.selectFrom('installation').selectAll().execute()).toEqual(before)
    expect(await migrate(database.url)).toEqual([])
  })

  test('live data are not reset', async () => {
    await add('user_1')
    await database.db.updateTable('installation').set({ livemode: true }).execute()
    await expect(reset(database.db)).rejects.toThrow('live data')
    expect(await everyone()).toHaveLength(1)
    await database.db.updateTable('installation').set({ livemode: null }).execute()
  })
}

describe('the embedded Postgres', () => behavesLikeAStore(newDatabase))

if (own === undefined) {
  test.skip('a Postgres of one’s own: TEST_OWN_DATABASE_URL is not set', () => {})
} else {
  describe('a Postgres of one’s own', () =>
    behavesLikeAStore(async () => {
      const database = await newEmptyDatabase(own)
      await migrate(database.url)
      return database
    }))
}
