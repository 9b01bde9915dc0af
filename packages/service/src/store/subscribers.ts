import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'

/** How many live subscriptions are on a version of a plan. */
export interface Subscribers {
  readonly version: number
  readonly count: number
}

/** Of each of these plans the versions that somebody is on, the oldest first. */
export async function subscribersOf(
  db: Db | Trx,
  plans: readonly string[],
): Promise<ReadonlyMap<string, readonly Subscribers[]>> {
  if (plans.length === 0) return new Map()
  const { rows } = await sql<Subscribers & { readonly plan: string }>`
    select v.plan_key as plan, v.version, count(*)::int4 as count
      from subscription s join plan_version v on v.id = s.plan_version_id
     where v.plan_key = any(${[...plans]}::text[]) and s.status not in ('canceled', 'incomplete_expired')
     group by v.plan_key, v.version order by v.plan_key, v.version`.execute(db)
  const found = new Map<string, Subscribers[]>()
  for (const { plan, ...subscribers } of rows) found.set(plan, [...(found.get(plan) ?? []), subscribers])
  return found
}
