import type { Instant } from '@lockstep/core/instant'
import type { Problem } from '@lockstep/core/problem'
import { sql } from 'kysely'
import type { Trx } from '../postgres/connect.ts'
import { type EntityType, entityIdOf, type ProviderAccount } from './mappings.ts'
import { type PricedItem, planOfItems } from './plans-of-items.ts'
import { sqlTime } from './time.ts'

/** What an event is parked as until what its object belongs to is linked. */
export const NEEDS_MAPPING = 'needs_mapping'

/** What an object lacks here: a link of the provider's object, or of the plan that is linked to it a version in its rhythm. */
export interface Lack {
  readonly entityType: EntityType | 'plan_version'
  readonly providerId: string
}

/** What a refusal with `mapping_needed` says beside its words. */
export interface LackMembers {
  /** Each of these that comes is a reason to look again. */
  readonly missing: readonly Lack[]
  /** Of a subscription whose plan is not known: what is billed with it. */
  readonly items?: readonly PricedItem[]
}

/**
 * Something was linked or taken up: events that wait for it are looked at once more, and no others. What then lacks
 * something else is parked again. Without an id it came for everybody who waits for one of its kind. An event that was
 * parked before it was written down what it lacks waits for anything.
 */
export async function retryUnmapped(
  trx: Trx,
  came: readonly (Pick<Lack, 'entityType'> & Partial<Lack>)[],
  at: Instant,
): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${LINKING}, 0)`.execute(trx)
  const awaited = came.map(({ entityType, providerId }) => JSON.stringify([{ entityType, providerId }]))
  await sql`
    with waiting as materialized (
      select id as waiting_id from provider_event
      where provider = 'stripe' and state = 'parked' and outcome = ${NEEDS_MAPPING}
        and (problem -> 'missing' is null or problem -> 'missing' @> any(${awaited}::text[]::jsonb[]))
      order by id collate "C" for update)
    update provider_event set state = 'received', outcome = null, problem = null, attempts = 0, processed_at = null,
      claimed_until = null, observation = nextval('observation_counter'), next_attempt_at = ${sqlTime(at)}
    where provider = 'stripe' and id = any(array(select waiting_id from waiting))`.execute(trx)
}

/** The first key of our advisory locks between whoever links and whoever parks for want of a link. */
const LINKING = 1_803

/**
 * Whether what a refusal names as missing is missing still. Until this transaction ends nobody links anything and no
 * plan gets a version: so an event is either parked before that and found by it, or sees it.
 */
export async function isStillUnmapped(
  trx: Trx,
  account: ProviderAccount,
  { members }: Problem,
): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(${LINKING}, 0)`.execute(trx)
  const { missing = [], items = [] } = members as Partial<LackMembers>
  for (const { entityType, providerId } of missing) {
    if (entityType === 'plan_version') continue
    if ((await entityIdOf(trx, account, entityType, providerId)) !== undefined) return false
  }
  return (await planOfItems(trx, account, items)) === undefined
}
