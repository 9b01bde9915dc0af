import type { Address } from '@lockstep/core/address'
import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { compiled } from '../postgres/compiled.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import { type Mapping, STRIPE } from './mappings.ts'
import { sqlTime } from './time.ts'

/** A customer with what is kept in rows of their own: the person, and the provider's id. */
export interface Customer {
  readonly id: string
  readonly externalId: string
  readonly currency: string | null
  readonly testClockId: string | null
  readonly createdAt: Instant
  readonly name: string | null
  readonly email: string | null
  readonly providerId: string | null
  readonly deletedAtProvider: Instant | null
}

function customers(db: Db | Trx) {
  return db
    .selectFrom('customer')
    .leftJoin('customerProfile', 'customerProfile.customerId', 'customer.id')
    .leftJoin('mapping', (join) =>
      join
        .onRef('mapping.entityId', '=', 'customer.id')
        .on('mapping.entityType', '=', 'customer')
        .on('mapping.provider', '=', STRIPE),
    )
    .select([
      'customer.id',
      'customer.externalId',
      'customer.currency',
      'customer.testClockId',
      'customer.createdAt',
      'customer.deletedAtProvider',
      'customerProfile.name',
      'customerProfile.email',
      'mapping.providerId',
    ])
}

const ofIds = compiled((db, { ids }: { readonly ids: readonly string[] }) =>
  customers(db).where(isOneOf('customer.id', ids)),
)

export const readCustomer = grouped(
  async (db, ids: readonly string[]): Promise<(Customer | undefined)[]> =>
    inOrder(ids, await ofIds(db, { ids }), ({ id }) => id),
)

const ofExternalIds = compiled((db, { externalIds }: { readonly externalIds: readonly string[] }) =>
  customers(db).where(isOneOf('customer.external_id', externalIds)),
)

export const findCustomer = grouped(
  async (db, externalIds: readonly string[]): Promise<(Customer | undefined)[]> =>
    inOrder(externalIds, await ofExternalIds(db, { externalIds }), ({ externalId }) => externalId),
)

export interface CustomerFilter {
  readonly externalId?: string | undefined
  readonly email?: string | undefined
  readonly testClock?: string | undefined
  readonly limit: number
  readonly after?: string | undefined
}

const sought = compiled((db, { externalId, email, testClock, after, limit }: CustomerFilter) => {
  let query = customers(db)
  if (externalId !== undefined) query = query.where('customer.externalId', '=', externalId)
  if (email !== undefined) query = query.where(sql<string>`lower(customer_profile.email)`, '=', email)
  if (testClock !== undefined) query = query.where('customer.testClockId', '=', testClock)
  if (after !== undefined) query = query.where('customer.id', '<', after)
  return query.orderBy('customer.id', 'desc').limit(limit)
})

/** Newest first. */
export const listCustomers = (db: Db, filter: CustomerFilter): Promise<Customer[]> =>
  sought(db, { ...filter, email: filter.email?.toLowerCase() })

export interface NewCustomer {
  readonly id: string
  readonly externalId: string
  readonly name: string | null
  readonly email: string | null
  readonly testClockId: string | null
  /** What the first subscription is paid in, where there is one with it; see {@link lockCurrency}. */
  readonly currency?: string
  readonly at: Instant
}

/** False if there is one with this external id already; nothing is changed then. */
export const addCustomer = grouped(async (trx, customers: readonly NewCustomer[]): Promise<boolean[]> => {
  const { rows } = await sql<{ customerId: string }>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(customers)}::jsonb) as given (id text, "externalId" text,
        name text, email text, "testClockId" text, currency text, at float8)
    ), added as (
      insert into customer (id, external_id, test_clock_id, currency, created_at)
      select id, "externalId", "testClockId", currency, to_timestamp(at) from given
      order by "externalId"
      on conflict (external_id) do nothing
      returning id
    )
    insert into customer_profile (customer_id, name, email)
    select id, name, email from added join given using (id)
    returning customer_id`.execute(trx)
  const added = new Set(rows.map(({ customerId }) => customerId))
  return customers.map(({ id }) => added.has(id))
})

/** The kind of the workflow that tells the provider what was changed of a customer here. */
export const CHANGE_CUSTOMER = 'change-customer'

/** Absent stays as it is, null removes. */
export interface ProfileChange {
  readonly name?: string | null | undefined
  readonly email?: string | null | undefined
}

/** Whether anything changed. Whoever was erased and is named here again has a profile again; who is called nothing is not named. */
export async function changeProfile(trx: Trx, customerId: string, change: ProfileChange): Promise<boolean> {
  const changed = await sql`
    insert into customer_profile as p (customer_id, name, email)
    select ${customerId}, ${change.name ?? null}, ${change.email ?? null}
    where ${change.name ?? null}::text is not null or ${change.email ?? null}::text is not null
      or exists (select from customer_profile known where known.customer_id = ${customerId})
    on conflict (customer_id) do update set
      name = case when ${change.name !== undefined} then excluded.name else p.name end,
      email = case when ${change.email !== undefined} then excluded.email else p.email end
    where (${change.name !== undefined} and p.name is distinct from excluded.name)
       or (${change.email !== undefined} and p.email is distinct from excluded.email)`.execute(trx)
  return changed.numAffectedRows === 1n
}

/**
 * What the provider says of a customer that was made there. One who has no profile was erased and stays it, whatever
 * is told late. As long as the provider is still to be told what was changed here, it speaks of before that change.
 */
export const followProfile = grouped(async (trx, all: readonly SeenProfile[]) => {
  const ids = all.map(({ customerId }) => customerId)
  // Whoever changes a profile at this moment is waited for: the next statement sees that it is to be told.
  const locked = sql`
    select from customer_profile where ${isOneOf('customer_id', ids)} order by customer_id for update`.execute(
    trx,
  )
  const followed = sql`
    update customer_profile profile set name = seen.name, email = seen.email
    from ${given(
      sql`unnest(${ids}::text[], ${all.map(({ name }) => name)}::text[], ${all.map(({ email }) => email)}::text[])`,
      sql`seen (id, name, email)`,
    )} as seen
    where customer_id = seen.id and (profile.name, profile.email) is distinct from (seen.name, seen.email)
      and not exists (select from workflow w where w.state in ('running', 'compensating')
        and w.kind = ${CHANGE_CUSTOMER} and w.input ->> 'customerId' = seen.id)`.execute(trx)
  await Promise.all([locked, followed])
  return all.map(() => undefined)
})

interface SeenProfile {
  readonly customerId: string
  readonly name: string | null
  readonly email: string | null
}

/** The provider has this customer no more: nothing can be charged until it is linked to another one. */
export async function markDeletedAtProvider(trx: Trx, customerId: string, at: Instant): Promise<void> {
  await trx
    .updateTable('customer')
    .set({ deletedAtProvider: sqlTime(at) })
    .where('id', '=', customerId)
    .execute()
}

/**
 * That one was linked to this customer of the provider's before, and somebody took the link away: with how the two had come
 * together, null where nobody wrote that down. Undefined: they never were.
 */
export function formerLink(
  db: Db | Trx,
  { customerId, providerId }: { readonly customerId: string; readonly providerId: string },
): Promise<{ readonly origin: Mapping['origin'] | null } | undefined> {
  return db
    .selectFrom('formerCustomer')
    .select('origin')
    .where('provider', '=', STRIPE)
    .where('providerId', '=', providerId)
    .where('customerId', '=', customerId)
    .executeTakeFirst()
}

/** Locks the customer's row until the transaction ends. */
export async function lockCustomer(trx: Trx, externalId: string): Promise<Customer | undefined> {
  await trx.selectFrom('customer').select('id').where('externalId', '=', externalId).forUpdate().execute()
  return findCustomer(trx, externalId)
}

/** The first subscription fixes the currency, as it does at Stripe. False: it is fixed to another. */
export async function lockCurrency(trx: Trx, customerId: string, currency: string): Promise<boolean> {
  const locked = await trx
    .updateTable('customer')
    .set({ currency })
    .where('id', '=', customerId)
    .where((eb) => eb.or([eb('currency', 'is', null), eb('currency', '=', currency)]))
    .executeTakeFirst()
  return locked.numUpdatedRows === 1n
}

/**
 * Takes the lock back that a registration made which came to nothing. Whoever registers the customer at
 * that moment is waited for in a statement of its own: the next one sees the slot that was taken.
 */
export async function unlockCurrency(trx: Trx, customerId: string): Promise<void> {
  await trx.selectFrom('customer').select('id').where('id', '=', customerId).forUpdate().execute()
  await sql`
    update customer c set currency = null where id = ${customerId}
      and not exists (select from subscription s where s.customer_id = c.id)
      and not exists (select from subscription_slot s where s.customer_id = c.id)`.execute(trx)
}

export interface Profile {
  readonly name: string | null
  readonly email: string | null
  readonly address: Address | null
}

const profiles = compiled((db, { customerIds }: { readonly customerIds: readonly string[] }) =>
  db
    .selectFrom('customerProfile')
    .select(['customerId', 'name', 'email', 'address'])
    .where(isOneOf('customer_id', customerIds)),
)

/** Who the customer is; undefined of one who was erased. */
export const readProfile = grouped(
  async (db, customerIds: readonly string[]): Promise<(Profile | undefined)[]> => {
    const rows = await profiles(db, { customerIds })
    return inOrder(customerIds, rows, ({ customerId }) => customerId).map(
      (row) => row && { name: row.name, email: row.email, address: row.address as Address | null },
    )
  },
)

/** Where the customer is; null where nobody said. */
export async function readAddress(db: Db | Trx, customerId: string): Promise<Address | null> {
  const row = await db
    .selectFrom('customerProfile')
    .select('address')
    .where('customerId', '=', customerId)
    .executeTakeFirst()
  return (row?.address as Address | null | undefined) ?? null
}

/** Whether it is another one than before. */
export async function changeAddress(trx: Trx, customerId: string, address: Address): Promise<boolean> {
  const written = JSON.stringify(address)
  const changed = await sql`
    update customer_profile set address = ${written}::jsonb
    where customer_id = ${customerId} and address is distinct from ${written}::jsonb`.execute(trx)
  return changed.numAffectedRows === 1n
}
