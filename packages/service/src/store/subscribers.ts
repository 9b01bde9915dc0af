import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'

/** How many live subscriptions are on a version of a plan. */
export interface Subscribers {
  readonly version: number
  readonly count: number
}

/** Of each of these add-ons the versions that somebody has, the oldest first. */
export async function holdersOf(
  db: Db | Trx,
  addons: readonly string[],
): Promise<ReadonlyMap<string, readonly Subscribers[]>> {
  if (addons.length === 0) return new Map()
  const { rows } = await sql<Subscribers & { readonly sold: string }>`
    select a.addon as sold, a.version, count(*)::int4 as count
      from subscription s cross join lateral jsonb_to_recordset(s.addons) as a (addon text, version int4)
     where a.addon = any(${[...addons]}::text[]) and s.status not in ('canceled', 'incomplete_expired')
     group by a.addon, a.version order by a.addon, a.version`.execute(db)
  return bySold(rows)
}

/** Of each of these plans the versions that somebody is on, the oldest first. */
export async function subscribersOf(
  db: Db | Trx,
  plans: readonly string[],
): Promise<ReadonlyMap<string, readonly Subscribers[]>> {
  if (plans.length === 0) return new Map()
  const { rows } = await sql<Subscribers & { readonly sold: string }>`
    select v.plan_key as sold, v.version, count(*)::int4 as count
      from subscription s join plan_version v on v.id = s.plan_version_id
     where v.plan_key = any(${[...plans]}::text[]) and s.status not in ('canceled', 'incomplete_expired')
     group by v.plan_key, v.version order by v.plan_key, v.version`.execute(db)
  return bySold(rows)
}

function bySold(rows: readonly (Subscribers & { readonly sold: string })[]): Map<string, Subscribers[]> {
  const found = new Map<string, Subscribers[]>()
  for (const { sold, ...subscribers } of rows) found.set(sold, [...(found.get(sold) ?? []), subscribers])
  return found
}
