import type { Instant } from '@lockstep/core/instant'
import type { Problem } from '@lockstep/core/problem'
import { sql } from 'kysely'
import type { Trx } from '../postgres/connect.ts'
import { type EntityType, entityIdOf, type ProviderAccount } from './mappings.ts'
import { sqlTime } from './time.ts'

/** What an event is parked as until what its object belongs to is linked. */
export const NEEDS_MAPPING = 'needs_mapping'

/**
 * Something was linked or taken up: whatever waited for a link is looked at once more. Which one it waited for is
 * not asked; what still lacks its own is parked again.
 */
export async function retryUnmapped(trx: Trx, at: Instant): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${LINKING}, 0)`.execute(trx)
  await sql`
    update provider_event set state = 'received', outcome = null, problem = null, attempts = 0, processed_at = null,
      claimed_until = null, observation = nextval('observation_counter'), next_attempt_at = ${sqlTime(at)}
    where provider = 'stripe' and state = 'parked' and outcome = ${NEEDS_MAPPING}`.execute(trx)
}

/** The first key of our advisory locks between whoever links and whoever parks for want of a link. */
const LINKING = 1_803

/**
 * Whether what a refusal names as missing is missing still. Until this transaction ends nobody links anything: so an
 * event is either parked before the link and found by it, or sees it.
 */
export async function isStillUnmapped(
  trx: Trx,
  account: ProviderAccount,
  { members }: Problem,
): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(${LINKING}, 0)`.execute(trx)
  const missing = (members.missing ?? []) as readonly { entityType: EntityType; providerId: string }[]
  for (const { entityType, providerId } of missing) {
    if ((await entityIdOf(trx, account, entityType, providerId)) !== undefined) return false
  }
  return true
}
