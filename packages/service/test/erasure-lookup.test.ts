import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../src/postgres/transaction.ts'
import { eraseProviderRows } from '../src/store/erasure.ts'
import { type BillingWorld, newBillingWorld } from './support/billing-world.ts'
import { smallCatalog } from './support/catalogs.ts'

let world: BillingWorld
beforeAll(async () => {
  world = await newBillingWorld({ catalog: smallCatalog })
})
afterAll(() => world.close())

test('what Stripe sent of one customer is found without reading what it sent of all others', async () => {
  const { customerId, customer } = await world.register('team', '2026-01-31T09:30:00Z')
  await world.stripe.customers.update(customer, { name: 'Ada Lovelace' })
  await world.deliver()
  // Postgres has not counted them: so it is when a service is new.
  await world.pool.query('alter table provider_event set (autovacuum_enabled = false)')
  await world.pool.query('alter table provider_object set (autovacuum_enabled = false)')
  await world.pool.query(
    `insert into provider_event (provider, id, type, object_type, object_id, created, livemode, payload, state,
       next_attempt_at, received_at, processed_at)
     select 'stripe', 'evt_of_others_' || n, 'invoice.paid', 'invoice', 'in_of_others_' || n, now(), false,
       jsonb_build_object('data', jsonb_build_object('object', jsonb_build_object('customer', 'cus_of_others_' || n))),
       'processed', now(), now(), now() from generate_series(1, 20000) n`,
  )
  await world.pool.query(
    `insert into provider_object (provider, type, id, raw, observation, updated_at)
     select 'stripe', 'invoice', 'in_of_others_' || n, jsonb_build_object('customer', 'cus_of_others_' || n), 1, now()
       from generate_series(1, 20000) n`,
  )
  const { erased, read } = await transaction(world.db, async (trx) => ({
    erased: await eraseProviderRows(trx, customerId),
    read: await sql<{ rows: number }>`
      select sum(pg_stat_get_xact_tuples_returned(c.oid))::int4 as rows from pg_class c
        left join pg_index i on i.indexrelid = c.oid
       where coalesce(i.indrelid, c.oid) in ('provider_event'::regclass, 'provider_object'::regclass)`.execute(
      trx,
    ),
  }))
  expect(erased).toBeGreaterThan(0)
  // A customer of one subscription has some dozens, and each is found by two ways and written once.
  expect(read.rows[0]?.rows).toBeLessThan(1000)
})
