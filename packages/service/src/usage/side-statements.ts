import { formatQuantity } from '@lockstep/core/quantity'
import { instants, numbers, texts, uuids } from '../postgres/sql-arrays.ts'
import type { Statement } from './exchange.ts'
import { addGroups } from './group-statements.ts'
import type { Place } from './places.ts'
import type { LevelRollup, SeenValue, SideRollups } from './side-rollups.ts'

const nothing = () => {}

/** What is written beside the rollups: nothing for plain meters. */
export const addBeside = (beside: SideRollups): Statement<void>[] => [
  ...(beside.values.length > 0 ? [addValues(beside.values)] : []),
  ...(beside.levels.length > 0 ? [addLevels(beside.levels)] : []),
  ...addGroups(beside),
]

/** A value that the bucket saw before adds nothing. */
const addValues = (seen: readonly SeenValue[]): Statement<void> => ({
  name: 'add_values',
  text: `insert into usage_unique (customer_id, meter_key, bucket, value)
    select unnest($1::text[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::uuid[])
    on conflict do nothing`,
  values: [
    texts(seen.map(({ customerId }) => customerId)),
    texts(seen.map(({ meterKey }) => meterKey)),
    instants(seen.map(({ bucket }) => bucket)),
    uuids(seen.map(({ value }) => value)),
  ],
  read: nothing,
})

const addLevels = (levels: readonly LevelRollup[]): Statement<void> => ({
  name: 'add_levels',
  text: `insert into usage_level as here (customer_id, meter_key, bucket, change, moment)
    select unnest($1::text[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::numeric[]),
      unnest($5::numeric[])
    on conflict (customer_id, meter_key, bucket) do update set
      change = here.change + excluded.change, moment = here.moment + excluded.moment`,
  values: [
    texts(levels.map(({ customerId }) => customerId)),
    texts(levels.map(({ meterKey }) => meterKey)),
    instants(levels.map(({ bucket }) => bucket)),
    numbers(levels.map(({ change }) => formatQuantity(change))),
    numbers(levels.map(({ moment }) => formatQuantity(moment))),
  ],
  read: nothing,
})

/**
 * Adds to each place the invoices of the periods that begin after its hour: a level that changes there is
 * another one in all of them. Under the gate, as {@link look}, which finds those of the hour itself.
 */
export const lookAhead = (places: readonly Place[]): Statement<void> => ({
  name: 'look_ahead',
  text: `with place as (
      select * from unnest($1::text[], $2::timestamptz[]) with ordinality as place (customer_id, hour, nth)
    )
    select nth - 1, id, subscription_id, extract(epoch from period_start)::int8,
           extract(epoch from period_end)::int8, finalized_at is not null
    from place cross join lateral (
      select id, subscription_id, period_start, period_end, finalized_at from invoice
      where customer_id = place.customer_id and plan_version_id is not null
        and period_start >= place.hour + interval '1 hour' and (finalized_at is not null or not dirty) offset 0
    ) invoice`,
  values: [texts(places.map(({ customer }) => customer.id)), instants(places.map(({ hour }) => hour))],
  read: (rows) => {
    for (const [nth, id, subscriptionId, start, end, frozen] of rows) {
      const period = { start: Number(start), end: Number(end) }
      const invoice = { id: id ?? '', subscriptionId: subscriptionId ?? null, period, frozen: frozen === 't' }
      places[Number(nth)]?.invoices.push(invoice)
    }
  },
})
