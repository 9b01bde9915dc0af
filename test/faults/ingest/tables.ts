import { type Ledger, nameOf, type Tally } from './events.ts'

type Row = Record<string, string | null>
type Query = (text: string) => Promise<Row[]>

/**
 * Holds what is in the tables against the ledger. One sentence for each promise that was broken; and how many events
 * are no longer stored, by what was written down of them.
 */
export async function lookAtTables(
  query: Query,
  ledger: Ledger,
): Promise<{ readonly expired: number; readonly breaches: readonly string[] }> {
  const breaches: string[] = []
  const expect = (what: string, found: unknown, expected: unknown) => {
    if (String(found) !== String(expected))
      breaches.push(`${what}: ${String(found)} instead of ${String(expected)}`)
  }
  const [counts] = await query(`
    select (select count(*) from usage_identity) as identities, (select count(*) from usage_event) as events,
           (select count(distinct id) from usage_event) as different,
           (select sum(count) from usage_rollup) as counted,
           (select coalesce(sum(events), 0) from usage_expired) as expired,
           (select count(*) from usage_event join usage_expired_month
              on time >= month and time < month + interval '1 month') as kept_of_expired`)
  const expired = Number(counts?.expired)
  for (const name of ['identities', 'counted']) expect(name, counts?.[name], ledger.events)
  for (const name of ['events', 'different']) expect(name, counts?.[name], ledger.events - expired)
  expect('events of months that were dropped', counts?.kept_of_expired, 0)

  const [wrong] = await query(`
    select count(*) as months from (
      select customer_id, meter_key, date_trunc('month', bucket, 'UTC') as month, sum(count) as count, sum(sum) as sum
      from usage_rollup where date_trunc('month', bucket, 'UTC') in (select month from usage_expired_month) group by 1, 2, 3
      except all select customer_id, meter_key, month, counted, sum from usage_expired
    ) as wrong`)
  expect('months that are not what was dropped of them', wrong?.months, 0)

  const [apart] = await query(`
    select count(*) as buckets from (
      select customer_id, meter_key, date_trunc('hour', time, 'UTC') as bucket, count(*) as count, sum(quantity) as sum
      from usage_event group by 1, 2, 3
      except all select customer_id, meter_key, bucket, count, sum from usage_rollup
    ) as apart`)
  expect('hours that are not what their events are', apart?.buckets, 0)

  const kept = await keptIn(query)
  for (const [name, tally] of ledger.tallies) {
    const found = kept.get(name)
    for (const what of ['count', 'sum', 'moment', 'users'] as const)
      expect(`${what} of ${name}`, found?.[what] ?? 0, tellOf(tally)[what])
    kept.delete(name)
  }
  expect('usage of nobody', [...kept.keys()].join(), '')
  return { expired, breaches }
}

const tellOf = ({ count, sum, moment, users }: Tally) => ({ count, sum, moment, users: users.size })

type Kept = Partial<Record<keyof Tally, string>>

/** What the rollups, and what stands beside them, hold of each customer and meter, and of each group. */
async function keptIn(query: Query): Promise<Map<string, Kept>> {
  const kept = new Map<string, Kept>()
  for (const apart of [false, true]) {
    const from = (table: string) =>
      !apart
        ? `select null::jsonb as named, * from usage_${table}`
        : `select its.dimension_values as named, kept.* from usage_group_${table} as kept join usage_group as its
            on its.customer_id = kept.customer_id and its.meter_key = kept.meter_key and its.id = kept.group_id`
    const rows = await query(`
      with rollup as (${from('rollup')}), seen as (${from('unique')}), level as (${from('level')})
      select customer_id, meter_key, named::text, sum(count) as count, (sum(sum) * 1000)::numeric(60, 0) as sum,
             null::numeric as moment, null::int8 as users from rollup group by 1, 2, 3
      union all
      select customer_id, meter_key, named::text, null, null, null, count(distinct value) from seen group by 1, 2, 3
      union all
      select customer_id, meter_key, named::text, null, (sum(change) * 1000)::numeric(60, 0),
             (sum(moment + change * extract(epoch from bucket)) * 1000)::numeric(60, 0), null
      from level group by 1, 2, 3`)
    for (const { customer_id, meter_key, named, ...told } of rows) {
      const group = named == null ? undefined : JSON.stringify(JSON.parse(named))
      const name = nameOf(customer_id ?? '', meter_key ?? '', group)
      const found = kept.get(name) ?? {}
      for (const what of ['count', 'sum', 'moment', 'users'] as const) {
        const value = told[what]
        if (value != null) found[what] = value
      }
      kept.set(name, found)
    }
  }
  return kept
}
