import type { Instant } from '@lockstep/core/instant'
import { formatQuantity } from '@lockstep/core/quantity'
import type pg from 'pg'
import type { Arrival } from './arrival.ts'
import type { Place, TouchedInvoice } from './batch.ts'
import { GATE } from './gate.ts'
import { type Hash, microsecondsOf } from './identity.ts'
import type { Rollup } from './rollups.ts'
import { jsonbs, numbers, texts, timestamps, uuids } from './sql-arrays.ts'

type Client = Pick<pg.ClientBase, 'query'>

/** Passes the gate together with other ingest. A statement of its own: see {@link closeGate}. */
export async function passGate(client: Client, stripes: readonly number[]): Promise<void> {
  await client.query({
    name: 'pass_gate',
    text: `select count(pg_advisory_xact_lock_shared(${GATE}, stripe)) from unnest($1::int4[]) as stripe`,
    values: [numbers(stripes)],
  })
}

/**
 * Writes identities down and returns those that were not there before, undefined for: all of them.
 * Waits for a transaction that is just writing the same one; it counts as here when that commits.
 */
export async function insertIdentities(
  client: Client,
  arrivals: readonly Arrival[],
): Promise<ReadonlySet<Hash> | undefined> {
  const { rows } = await client.query<{ keys: string | null; complete: boolean }>({
    name: 'insert_identities',
    text: `with fresh as (
        insert into usage_identity (key, body_hash) select * from unnest($1::uuid[], $2::uuid[])
        on conflict do nothing returning key
      )
      select count(*) = $3::int4 as complete,
             case when count(*) < $3::int4 then array_to_string(array_agg(key), ' ') end as keys
      from fresh`,
    values: [
      uuids(arrivals.map(({ identity }) => identity)),
      uuids(arrivals.map(({ bodyHash }) => bodyHash)),
      arrivals.length,
    ],
  })
  if (rows[0]?.complete) return undefined
  const keys = rows[0]?.keys ?? ''
  return new Set(keys === '' ? [] : keys.replaceAll('-', '').split(' '))
}

/** Of arrivals whose identity is known: those that are known with another body. */
export async function findConflicts(
  client: Client,
  arrivals: readonly Arrival[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ key: string }>({
    name: 'find_conflicts',
    text: `select encode(uuid_send(arrival.key) || uuid_send(arrival.body_hash), 'hex') as key
      from unnest($1::uuid[], $2::uuid[]) as arrival (key, body_hash)
      join usage_identity known on known.key = arrival.key
      where known.body_hash <> arrival.body_hash`,
    values: [
      uuids(arrivals.map(({ identity }) => identity)),
      uuids(arrivals.map(({ bodyHash }) => bodyHash)),
    ],
  })
  return new Set(rows.map(({ key }) => key))
}

interface Seen {
  readonly place: number
  readonly cut: Instant | null
  readonly id: string
  readonly subscription_id: string | null
  readonly period_start: Instant
  readonly period_end: Instant
  readonly frozen: boolean
}

/**
 * Fills in each place's cuts and the invoices that an event there would have to mark. Under the gate
 * this stays true until our commit: cuts, pictures and freezes wait. Mostly there is nothing.
 */
export async function look(client: Client, places: readonly Place[]): Promise<void> {
  const { rows } = await client.query<Seen>({
    name: 'look',
    // `offset 0` keeps each customer's rows behind the index, however few customers there are yet.
    text: `with place as (
        select * from unnest($1::text[], $2::timestamptz[]) with ordinality as place (customer_id, hour, nth)
      )
      select nth::int4 - 1 as place, at as cut, null as id, null as subscription_id,
             null::timestamptz as period_start, null::timestamptz as period_end, null::boolean as frozen
      from place cross join lateral (
        select at from usage_cut
        where customer_id = place.customer_id and at > place.hour and at < place.hour + interval '1 hour' offset 0
      ) cut
      union all
      select nth::int4 - 1, null, id, subscription_id, period_start, period_end, frozen
      from place cross join lateral (
        select id, subscription_id, period_start, period_end, finalized_at is not null as frozen from invoice
        where customer_id = place.customer_id and plan_version_id is not null
          and period_start < place.hour + interval '1 hour' and period_end > place.hour
          and (finalized_at is not null or not dirty) offset 0
      ) invoice`,
    values: [texts(places.map(({ customer }) => customer.id)), timestamps(places.map(({ hour }) => hour))],
  })
  for (const row of rows) {
    const place = places[row.place]
    if (row.cut !== null) place?.cuts.push(row.cut)
    else {
      const period = { start: row.period_start, end: row.period_end }
      place?.invoices.push({ id: row.id, subscriptionId: row.subscription_id, period, frozen: row.frozen })
    }
  }
}

export async function storeEvents(
  client: Client,
  arrivals: readonly Arrival[],
  receivedAt: Instant,
): Promise<void> {
  const events = arrivals.map(({ event }) => event)
  await client.query({
    name: 'store_events',
    text: `insert into usage_event (customer_id, meter_key, time, quantity, source, id, data, received_at)
      select *, to_timestamp($8::int8)
      from unnest($1::text[], $2::text[], $3::timestamptz[], $4::numeric[], $5::text[], $6::text[], $7::jsonb[])`,
    values: [
      texts(arrivals.map(({ customer }) => customer.id)),
      texts(events.map(({ type }) => type)),
      timestamps(
        events.map(({ time }) => time),
        events.map(({ timeText }) => microsecondsOf(timeText)),
      ),
      numbers(events.map(({ quantity }) => formatQuantity(quantity))),
      texts(events.map(({ source }) => source)),
      texts(events.map(({ id }) => id)),
      jsonbs(arrivals.map(({ dataText }) => dataText)),
      receivedAt,
    ],
  })
}

export async function addRollups(client: Client, rollups: readonly Rollup[]): Promise<void> {
  const last = rollups.map((rollup) => rollup.last.event)
  await client.query({
    name: 'add_rollups',
    text: `insert into usage_rollup as here (customer_id, meter_key, bucket, count, sum, max, last, last_at, last_id)
      select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::int8[], $5::numeric[], $6::numeric[],
        $7::numeric[], $8::timestamptz[], $9::text[])
      on conflict (customer_id, meter_key, bucket) do update set
        count = here.count + excluded.count,
        sum = here.sum + excluded.sum,
        max = greatest(here.max, excluded.max),
        last = case when (excluded.last_at, excluded.last_id, excluded.last) > (here.last_at, here.last_id, here.last)
          then excluded.last else here.last end,
        last_id = case when (excluded.last_at, excluded.last_id) > (here.last_at, here.last_id)
          then excluded.last_id else here.last_id end,
        last_at = greatest(here.last_at, excluded.last_at)`,
    values: [
      texts(rollups.map(({ customerId }) => customerId)),
      texts(rollups.map(({ meterKey }) => meterKey)),
      timestamps(rollups.map(({ bucket }) => bucket)),
      numbers(rollups.map(({ count }) => count)),
      numbers(rollups.map(({ sum }) => formatQuantity(sum))),
      numbers(rollups.map(({ max }) => formatQuantity(max))),
      numbers(last.map(({ quantity }) => formatQuantity(quantity))),
      timestamps(
        last.map(({ time }) => time),
        last.map(({ timeText }) => microsecondsOf(timeText)),
      ),
      texts(last.map(({ id }) => id)),
    ],
  })
}

/** Usage came: live invoices have to be synced again; a frozen one's goes on its subscription's current one. */
export async function markInvoices(client: Client, invoices: readonly TouchedInvoice[]): Promise<void> {
  const late = invoices.filter(({ frozen }) => frozen)
  await client.query({
    name: 'mark_invoices',
    text: `update invoice
      set dirty = dirty or finalized_at is null, late_usage = late_usage or finalized_at is not null
      where id in (
        select id from invoice
        where (id = any ($1::text[]) and (finalized_at is null and not dirty or finalized_at is not null and not late_usage))
           or (subscription_id = any ($2::text[]) and status = 'current' and not dirty)
        order by id for update
      )`,
    values: [
      texts(invoices.map(({ id }) => id)),
      texts(late.flatMap(({ subscriptionId }) => subscriptionId ?? [])),
    ],
  })
}
