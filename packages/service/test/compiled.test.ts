import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'
import { compiled, compiledSql } from '../src/postgres/compiled.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { asItStood } from '../src/store/as-it-stood.ts'

const database = await newDatabase()
const { db } = database
afterAll(() => database.drop())

interface Sought {
  readonly externalId?: string | undefined
  readonly limit: number
}

/** Customers, newest first, and how often the query was built. */
function customers() {
  let built = 0
  const find = compiled((on, { externalId, limit }: Sought) => {
    built += 1
    let query = on.selectFrom('customer').select(['id', 'externalId'])
    if (externalId !== undefined) query = query.where('externalId', '=', externalId)
    return query.where('deletedAtProvider', 'is', null).orderBy('id', 'desc').limit(limit)
  })
  return { find, built: () => built }
}

const [ada, bob] = [
  { id: 'customer_1', externalId: 'ada' },
  { id: 'customer_2', externalId: 'bob' },
]
await db
  .insertInto('customer')
  .values([ada, bob].map((customer) => ({ ...customer, createdAt: new Date(0) as never })))
  .execute()

test('a query is built once, and answers for the values it is given', async () => {
  const { find, built } = customers()
  expect(await find(db, { externalId: 'ada', limit: 1 })).toEqual([ada])
  expect(await find(db, { externalId: 'bob', limit: 1 })).toEqual([bob])
  expect(await transaction(db, (trx) => find(trx, { externalId: 'ada', limit: 1 }))).toEqual([ada])
  expect(built()).toBe(1)
})

test('so does a statement that is written as SQL, with a value that stands in it twice', async () => {
  let built = 0
  const find = compiledSql(({ names }: { readonly names: readonly string[] }) => {
    built += 1
    return sql<{ externalId: string; of: number }>`
      select external_id, cardinality(${names}::text[]) as of from customer
      where external_id = any(${names}::text[]) and id like ${'customer%'} order by id`
  })
  expect(await find(db, { names: ['ada', 'bob', 'eve'] })).toEqual([
    { externalId: 'ada', of: 3 },
    { externalId: 'bob', of: 3 },
  ])
  expect(await transaction(db, (trx) => find(trx, { names: ['bob'] }))).toEqual([
    { externalId: 'bob', of: 1 },
  ])
  expect(built).toBe(1)
})

test('what is left out makes another query', async () => {
  const { find, built } = customers()
  expect(await find(db, { limit: 5 })).toEqual([bob, ada])
  expect(await find(db, { externalId: undefined, limit: 1 })).toEqual([bob])
  expect(await find(db, { externalId: 'ada', limit: 5 })).toEqual([ada])
  expect(built()).toBe(2)
})

test('rows as they stood are not read by a text that knows nothing of them', async () => {
  const { find } = customers()
  expect(await find(db, { externalId: 'ada', limit: 5 })).toEqual([ada])
  const before = { id: 'customer_1', external_id: 'ada lovelace', created_at: '1970-01-01T00:00:00Z' }
  const stood = await transaction(db, (trx) =>
    find(asItStood(trx, 'customer', before), { externalId: 'ada lovelace', limit: 5 }),
  )
  expect(stood).toEqual([{ id: 'customer_1', externalId: 'ada lovelace' }])
  expect(await find(db, { externalId: 'ada', limit: 5 })).toEqual([ada])
})
