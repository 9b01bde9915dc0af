import type { Instant } from '@lockstep/core/instant'
import { formatQuantity } from '@lockstep/core/quantity'
import { instants, jsons, numbers, texts, timestamps, uuids } from '../postgres/sql-arrays.ts'
import type { Arrival } from './arrival.ts'
import type { Statement } from './exchange.ts'
import { GATE } from './gate.ts'
import { type Hash, hashOf } from './identity.ts'
import type { Place, TouchedInvoice } from './places.ts'
import type { Rollup } from './rollups.ts'

// Columns are unnested side by side in the select list: in `from`, Postgres would first write each of
// them down in a table of its own and then join those, a tenth of each statement.

const nothing = () => {}

export const begin: Statement<void> = { name: 'begin', text: 'begin', values: [], read: nothing }

/** Answers whether it was committed: after a failure it is a roll-back. */
export const commit: Statement<boolean> = {
  name: 'commit',
  text: 'commit',
  values: [],
  read: (_, tag) => tag === 'COMMIT',
}

/** Passes the gate together with other ingest. A statement of its own: see {@link closeGate}. */
export const passGate = (stripes: readonly number[]): Statement<void> => ({
  name: 'pass_gate',
  text: `select count(pg_advisory_xact_lock_shared(${GATE}, stripe)) from unnest($1::int4[]) as stripe`,
  values: [numbers(stripes)],
  read: nothing,
})

const keysAndHashes = (arrivals: readonly Arrival[]) => [
  uuids(arrivals.map(({ identity }) => identity)),
  uuids(arrivals.map(({ bodyHash }) => bodyHash)),
]

/**
 * Writes identities down and answers those that were not there before, undefined for: all of them.
 * Waits for a transaction that is just writing the same one; it counts as here when that commits.
 */
export const insertIdentities = (arrivals: readonly Arrival[]): Statement<ReadonlySet<Hash> | undefined> => ({
  name: 'insert_identities',
  text: `with fresh as (
      insert into usage_identity (key, body_hash) select unnest($1::uuid[]), unnest($2::uuid[])
      on conflict do nothing returning key
    )
    select case when (select count(*) from fresh) < $3::int4
      then (select coalesce(array_to_string(array_agg(key), ' '), '') from fresh) end`,
  values: [...keysAndHashes(arrivals), `${arrivals.length}`],
  read: (rows) => {
    const keys = rows[0]?.[0]
    if (keys == null) return undefined
    return new Set(keys === '' ? [] : keys.split(' ').map(hashOf))
  },
})

/** Of arrivals whose identity is known: identity and body hash of those that are known with another body. */
export const findConflicts = (arrivals: readonly Arrival[]): Statement<ReadonlySet<string>> => ({
  name: 'find_conflicts',
  text: `select encode(uuid_send(arrival.key) || uuid_send(arrival.body_hash), 'hex')
    from unnest($1::uuid[], $2::uuid[]) as arrival (key, body_hash)
    join usage_identity known on known.key = arrival.key
    where known.body_hash <> arrival.body_hash`,
  values: keysAndHashes(arrivals),
  read: (rows) => new Set(rows.map(([key]) => hashOf(key ?? ''))),
})

/**
 * Fills in each place's cuts and the invoices that an event there would have to mark. Under the gate
 * this stays true until our commit: cuts, pictures and freezes wait. Mostly there is nothing.
 */
export const look = (places: readonly Place[]): Statement<void> => ({
  name: 'look',
  // `offset 0` keeps each customer's rows behind the index, however few customers there are yet.
  text: `with place as (
      select * from unnest($1::text[], $2::timestamptz[]) with ordinality as place (customer_id, hour, nth)
    )
    select nth - 1, extract(epoch from at)::int8 as at, null, null, null::int8, null::int8, null::boolean
    from place cross join lateral (
      select at from usage_cut
      where customer_id = place.customer_id and at > place.hour and at < place.hour + interval '1 hour' offset 0
    ) cut
    union all
    select nth - 1, null, id, subscription_id, extract(epoch from period_start)::int8,
           extract(epoch from period_end)::int8, finalized_at is not null
    from place cross join lateral (
      select id, subscription_id, period_start, period_end, finalized_at from invoice
      where customer_id = place.customer_id and plan_version_id is not null
        and period_start < place.hour + interval '1 hour' and period_end > place.hour
        and (finalized_at is not null or not dirty or limits_checked) offset 0
    ) invoice`,
  values: [texts(places.map(({ customer }) => customer.id)), instants(places.map(({ hour }) => hour))],
  read: (rows) => {
    for (const [nth, cut, id, subscriptionId, start, end, frozen] of rows) {
      const place = places[Number(nth)]
      if (cut != null) place?.cuts.push(Number(cut))
      else if (id != null) {
        const period = { start: Number(start), end: Number(end) }
        place?.invoices.push({ id, subscriptionId: subscriptionId ?? null, period, frozen: frozen === 't' })
      }
    }
  },
})

export const storeEvents = (arrivals: readonly Arrival[], receivedAt: Instant): Statement<void> => ({
  name: 'store_events',
  text: `insert into usage_event (customer_id, meter_key, time, quantity, source, id, data, received_at)
    select unnest($1::text[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::numeric[]),
      unnest($5::text[]), unnest($6::text[]), unnest($7::json[]), to_timestamp($8::int8)`,
  values: [
    texts(arrivals.map(({ customer }) => customer.id)),
    texts(arrivals.map(({ meterKey }) => meterKey)),
    timestamps(arrivals),
    numbers(arrivals.map(({ quantityText }) => quantityText)),
    texts(arrivals.map(({ source }) => source)),
    texts(arrivals.map(({ id }) => id)),
    jsons(arrivals.map(({ dataText }) => dataText)),
    `${receivedAt}`,
  ],
  read: nothing,
})

/** The last event is the one with the greatest (time, id, quantity), as in {@link rollUp}. */
export const addRollups = (rollups: readonly Rollup[]): Statement<void> => {
  const last = rollups.map((rollup) => rollup.last)
  return {
    name: 'add_rollups',
    text: `insert into usage_rollup as here (customer_id, bucket, meter_key, count, sum, max, last, last_at, last_id)
      select unnest($1::text[]), unnest($2::timestamptz[]), unnest($3::text[]), unnest($4::int8[]),
        unnest($5::numeric[]), unnest($6::numeric[]), unnest($7::numeric[]), unnest($8::timestamptz[]),
        unnest($9::text[])
      on conflict (customer_id, bucket, meter_key) do update set
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
      instants(rollups.map(({ bucket }) => bucket)),
      texts(rollups.map(({ meterKey }) => meterKey)),
      numbers(rollups.map(({ count }) => count)),
      numbers(rollups.map(({ count, sum, last }) => (count === 1 ? last.quantityText : formatQuantity(sum)))),
      numbers(rollups.map(({ max }) => max.quantityText)),
      numbers(last.map(({ quantityText }) => quantityText)),
      timestamps(last),
      texts(last.map(({ id }) => id)),
    ],
    read: nothing,
  }
}

/**
 * Usage came: live invoices have to be synced again, and where there are limits held against them; a frozen one's goes
 * on its subscription's current one.
 */
export const markInvoices = (invoices: readonly TouchedInvoice[]): Statement<void> => ({
  name: 'mark_invoices',
  text: `update invoice
    set dirty = dirty or finalized_at is null, late_usage = late_usage or finalized_at is not null
    where id in (
      select id from invoice
      where (id = any ($1::text[]) and (finalized_at is null and (not dirty or limits_checked)
            or finalized_at is not null and not late_usage))
         or (subscription_id = any ($2::text[]) and status = 'current' and not dirty)
      order by id for update
    )`,
  values: [
    texts(invoices.map(({ id }) => id)),
    texts(
      invoices.flatMap(({ frozen, subscriptionId }) => (frozen && subscriptionId ? [subscriptionId] : [])),
    ),
  ],
  read: nothing,
})
