import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { newId } from '../ids.ts'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

/** A person who was forgotten, and what they had left at the provider to be charged. */
export type CustomerErasure = Row<'customerErasure'>

/** Writes down, in the transaction that forgets a person, that what they left to be charged is to be taken off. */
export async function addErasure(
  trx: Trx,
  erasure: { readonly customerId: string; readonly providerId: string; readonly at: Instant },
): Promise<string> {
  const { customerId, providerId, at } = erasure
  const id = newId('customer_erasure')
  const times = { erasedAt: sqlTime(at), recordedAt: sqlTime(at) }
  await trx
    .insertInto('customerErasure')
    .values({ id, customerId, providerId, ...times })
    .execute()
  return id
}

export function readErasure(db: Db, id: string): Promise<CustomerErasure> {
  return db.selectFrom('customerErasure').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/** Those of a customer whose payment methods are not all taken off yet, oldest first. */
export function openErasures(db: Db | Trx, customerId: string): Promise<CustomerErasure[]> {
  return db
    .selectFrom('customerErasure')
    .selectAll()
    .where('customerId', '=', customerId)
    .where('doneAt', 'is', null)
    .orderBy('id')
    .execute()
}

/** What was there, and what waits for it. The first word stands: nothing new was given before it was said. */
export async function noteLeft(
  db: Db,
  id: string,
  { paymentMethods, sources, waitsFor }: { [Part in 'paymentMethods' | 'sources' | 'waitsFor']: string[] },
): Promise<void> {
  await db
    .updateTable('customerErasure')
    .set({ paymentMethods, sources, waitsFor })
    .where('id', '=', id)
    .where('paymentMethods', 'is', null)
    .execute()
}

/** Nothing new can be charged to what was the default; or it can, and is not to be. */
export async function markReady(
  db: Db,
  id: string,
  { defaultStays, at }: { readonly defaultStays: boolean; readonly at: Instant },
): Promise<void> {
  await db
    .updateTable('customerErasure')
    .set({ readyAt: sqlTime(at), defaultStays })
    .where('id', '=', id)
    .where('readyAt', 'is', null)
    .execute()
}

export async function endErasure(
  db: Db,
  id: string,
  { outcome, at }: { readonly outcome: NonNullable<CustomerErasure['outcome']>; readonly at: Instant },
): Promise<void> {
  await db
    .updateTable('customerErasure')
    .set({ outcome, doneAt: sqlTime(at) })
    .where('id', '=', id)
    .where('doneAt', 'is', null)
    .execute()
}

/** Whether a person who was forgotten left it, and it is still there. */
export async function isLeftBehind(db: Db, customerId: string, paymentMethod: string): Promise<boolean> {
  const open = await openErasures(db, customerId)
  return open.some(({ paymentMethods, sources }) =>
    [...(paymentMethods ?? []), ...(sources ?? [])].includes(paymentMethod),
  )
}

/**
 * Takes up whom a version forgot that took off nothing, and who has neither come back since nor has anything that lives:
 * when that was is known of whoever accepted a contract.
 */
export async function takeUpErasures(
  trx: Trx,
  at: Instant,
): Promise<Pick<CustomerErasure, 'id' | 'customerId'>[]> {
  const { rows } = await sql<{ customerId: string; providerId: string; erasedAt: Instant }>`
    select c.id as customer_id, m.provider_id, a.erased_at
      from customer c
      join mapping m on m.entity_type = 'customer' and m.entity_id = c.id and m.provider = 'stripe'
      join (select customer_id, max(erased_at) as erased_at from contract_acceptance
             where erased_at is not null group by customer_id) a on a.customer_id = c.id
     where c.deleted_at_provider is null
       and not exists (select from customer_profile p where p.customer_id = c.id)
       and not exists (select from customer_erasure e where e.customer_id = c.id)
       and not exists (select from registration r where r.customer_id = c.id and r.created_at >= a.erased_at)
       and not exists (select from subscription s where s.customer_id = c.id
         and s.status not in ('canceled', 'incomplete_expired'))
     order by c.id
       for no key update of c`.execute(trx)
  const taken: Pick<CustomerErasure, 'id' | 'customerId'>[] = []
  for (const { customerId, providerId, erasedAt } of rows) {
    const id = newId('customer_erasure')
    const times = { erasedAt: sqlTime(Math.min(erasedAt, at)), recordedAt: sqlTime(at) }
    await trx
      .insertInto('customerErasure')
      .values({ id, customerId, providerId, ...times })
      .execute()
    taken.push({ id, customerId })
  }
  return taken
}
