import type { Instant } from '@lockstep/core/instant'
import type { EndPlanner } from '@lockstep/core/planned-end'
import type { HistoryCause } from '@lockstep/core/subscription-history'
import type { Db, Trx } from '../postgres/connect.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type Deed = Row<'subscriptionDeed'>

/** What somebody may have done to a subscription; each is the cause of the history that it makes. */
export type DeedKind = Extract<HistoryCause, 'cancel' | 'cancelUndone' | 'pause' | 'resume'>

export interface NewDeed extends Omit<Deed, 'createdAt' | 'endedAt' | 'input'> {
  readonly kind: DeedKind
  readonly input: unknown
  readonly at: Instant
}

/** In the transaction of its workflow. The subscription is locked, and nothing else is done to it. */
export async function addDeed(trx: Trx, { at, input, ...deed }: NewDeed): Promise<void> {
  await trx
    .insertInto('subscriptionDeed')
    .values({ ...deed, input: JSON.stringify(input), createdAt: sqlTime(at) })
    .execute()
}

/** What a request made, or what it joined. */
export function findDeed(db: Db | Trx, operation: string): Promise<Deed | undefined> {
  const joined = db.selectFrom('subscriptionDeedRequest').select('deedId').where('operation', '=', operation)
  return db
    .selectFrom('subscriptionDeed')
    .selectAll()
    .where((eb) => eb.or([eb('operation', '=', operation), eb('id', 'in', joined)]))
    .executeTakeFirst()
}

/** Writes down that a request wanted what is under way: repeated, it is answered by that. */
export async function joinDeed(
  trx: Trx,
  { id: deedId, customerId }: Pick<Deed, 'id' | 'customerId'>,
  { operation, actor, reason, at }: Pick<Deed, 'operation' | 'actor' | 'reason'> & { readonly at: Instant },
): Promise<void> {
  await trx
    .insertInto('subscriptionDeedRequest')
    .values({ customerId, deedId, operation, actor, reason, createdAt: sqlTime(at) })
    .execute()
}

export function deedUnderWay(db: Db | Trx, subscriptionId: string): Promise<Deed | undefined> {
  return db
    .selectFrom('subscriptionDeed')
    .selectAll()
    .where('subscriptionId', '=', subscriptionId)
    .where('endedAt', 'is', null)
    .executeTakeFirst()
}

/**
 * Whoever had a hand in the end that is planned: all ends planned since one was last taken back here, and who
 * joined them. With the subscription locked, while nothing is done to it.
 */
export async function plannersOfEnd(trx: Trx, subscriptionId: string): Promise<EndPlanner[]> {
  const deeds = await trx
    .selectFrom('subscriptionDeed as deed')
    .innerJoin('workflow', 'workflow.id', 'deed.workflowId')
    .select(['deed.id', 'deed.kind', 'deed.actor', 'deed.reason'])
    .where('deed.subscriptionId', '=', subscriptionId)
    .where('deed.kind', 'in', ['cancel', 'resume', 'cancelUndone'])
    // One that the provider refused has planned nothing, and taken nothing back.
    .where('workflow.state', '=', 'completed')
    .orderBy('deed.endedAt')
    .orderBy('deed.id')
    .execute()
  const undone = deeds.findLastIndex(({ kind }) => kind !== 'cancel')
  const planned = deeds.slice(undone + 1)
  if (planned.length === 0) return []
  const joined = await trx
    .selectFrom('subscriptionDeedRequest')
    .select(['actor', 'reason'])
    .where(
      'deedId',
      'in',
      planned.map(({ id }) => id),
    )
    .execute()
  return [...planned, ...joined].map(({ actor, reason }) => ({ byUser: actor.startsWith('user_'), reason }))
}

/** The next one may begin. */
export async function endDeed(db: Db | Trx, id: string, at: Instant): Promise<void> {
  await db
    .updateTable('subscriptionDeed')
    .set({ endedAt: sqlTime(at) })
    .where('id', '=', id)
    .where('endedAt', 'is', null)
    .execute()
}
