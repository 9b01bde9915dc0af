import { CUSTOMERS, type Ledger } from './events.ts'

type Query = (text: string) => Promise<Record<string, string>[]>

/** Holds what is in the tables against the ledger. One sentence for each promise that was broken. */
export async function lookAtTables(query: Query, ledger: Ledger): Promise<string[]> {
  const breaches: string[] = []
  const expect = (what: string, found: unknown, expected: unknown) => {
    if (String(found) !== String(expected))
      breaches.push(`${what}: ${String(found)} instead of ${String(expected)}`)
  }
  const [counts] = await query(`
    select (select count(*) from usage_identity) as identities, (select count(*) from usage_event) as events,
           (select count(distinct id) from usage_event) as different,
           (select sum(count) from usage_rollup) as counted`)
  for (const name of ['identities', 'events', 'different', 'counted'])
    expect(name, counts?.[name], ledger.events)

  const [apart] = await query(`
    select count(*) as buckets from (
      select customer_id, meter_key, date_trunc('hour', time, 'UTC') as bucket, count(*) as count, sum(quantity) as sum
      from usage_event group by 1, 2, 3
      except all select customer_id, meter_key, bucket, count, sum from usage_rollup
    ) as apart`)
  expect('hours that are not what their events are', apart?.buckets, 0)

  const sums = await query(`
    select customer_id, (sum(sum) * 1000)::numeric(40, 0) as thousandths
    from usage_rollup where meter_key = 'bytes' group by 1`)
  const users = await query(`select customer_id, count(distinct value) as users from usage_unique group by 1`)
  const levels = await query(`
    select customer_id, (sum(change) * 1000)::numeric(40, 0) as change,
           (sum(moment + change * extract(epoch from bucket)) * 1000)::numeric(60, 0) as moment
    from usage_level group by 1`)
  for (let customer = 0; customer < CUSTOMERS; customer += 1) {
    const id = `customer_${String(customer).padStart(26, '0')}`
    const of = (rows: readonly Record<string, string>[]) => rows.find(({ customer_id }) => customer_id === id)
    expect(`bytes of ${id}`, of(sums)?.thousandths ?? 0, ledger.bytes[customer])
    expect(`users of ${id}`, of(users)?.users ?? 0, ledger.users[customer]?.size)
    expect(`level of ${id}`, of(levels)?.change ?? 0, ledger.change[customer])
    expect(`level over time of ${id}`, of(levels)?.moment ?? 0, ledger.moment[customer])
  }
  return breaches
}
