import { formatQuantity } from '@lockstep/core/quantity'
import { instants, jsons, numbers, texts, timestamps, uuids } from '../postgres/sql-arrays.ts'
import type { Statement } from './exchange.ts'
import type { GroupLevel, GroupRollup, GroupValue, NamedGroup, SideRollups } from './side-rollups.ts'

const nothing = () => {}

/** What is written of groups: nothing for meters without dimensions. */
export const addGroups = ({
  groups,
  groupRollups,
  groupValues,
  groupLevels,
}: SideRollups): Statement<void>[] => [
  ...(groups.length > 0 ? [nameGroups(groups)] : []),
  ...(groupRollups.length > 0 ? [addRollups(groupRollups)] : []),
  ...(groupValues.length > 0 ? [addValues(groupValues)] : []),
  ...(groupLevels.length > 0 ? [addLevels(groupLevels)] : []),
]

const nameGroups = (groups: readonly NamedGroup[]): Statement<void> => ({
  name: 'name_groups',
  text: `insert into usage_group (customer_id, meter_key, id, dimension_values)
    select unnest($1::text[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::json[])::jsonb
    on conflict do nothing`,
  values: [
    texts(groups.map(({ customerId }) => customerId)),
    texts(groups.map(({ meterKey }) => meterKey)),
    uuids(groups.map(({ group }) => group)),
    jsons(groups.map(({ values }) => JSON.stringify(values))),
  ],
  read: nothing,
})

/** As those of all usage together: see `addRollups` of statements.ts. */
const addRollups = (rollups: readonly GroupRollup[]): Statement<void> => {
  const last = rollups.map((rollup) => rollup.last)
  return {
    name: 'add_group_rollups',
    text: `insert into usage_group_rollup as here
        (customer_id, meter_key, bucket, group_id, count, sum, max, last, last_at, last_id)
      select unnest($1::text[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::uuid[]),
        unnest($5::int8[]), unnest($6::numeric[]), unnest($7::numeric[]), unnest($8::numeric[]),
        unnest($9::timestamptz[]), unnest($10::text[])
      on conflict (customer_id, meter_key, bucket, group_id) do update set
        count = here.count + excluded.count,
        sum = here.sum + excluded.sum,
        max = greatest(here.max, excluded.max),
        last = case when (excluded.last_at, excluded.last_id, excluded.last) > (here.last_at, here.last_id, here.last)
          then excluded.last else here.last end,
        last_id = case when (excluded.last_at, excluded.last_id) > (here.last_at, here.last_id)
          then excluded.last_id else here.last_id end,
        last_at = greatest(here.last_at, excluded.last_at)`,
    values: [
      ...placesOf(rollups),
      numbers(rollups.map(({ count }) => count)),
      numbers(rollups.map(({ sum }) => formatQuantity(sum))),
      numbers(rollups.map(({ max }) => max.quantityText)),
      numbers(last.map(({ quantityText }) => quantityText)),
      timestamps(last),
      texts(last.map(({ id }) => id)),
    ],
    read: nothing,
  }
}

const addValues = (seen: readonly GroupValue[]): Statement<void> => ({
  name: 'add_group_values',
  text: `insert into usage_group_unique (customer_id, meter_key, bucket, group_id, value)
    select unnest($1::text[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::uuid[]), unnest($5::uuid[])
    on conflict do nothing`,
  values: [...placesOf(seen), uuids(seen.map(({ value }) => value))],
  read: nothing,
})

const addLevels = (levels: readonly GroupLevel[]): Statement<void> => ({
  name: 'add_group_levels',
  text: `insert into usage_group_level as here (customer_id, meter_key, bucket, group_id, change, moment)
    select unnest($1::text[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::uuid[]),
      unnest($5::numeric[]), unnest($6::numeric[])
    on conflict (customer_id, meter_key, bucket, group_id) do update set
      change = here.change + excluded.change, moment = here.moment + excluded.moment`,
  values: [
    ...placesOf(levels),
    numbers(levels.map(({ change }) => formatQuantity(change))),
    numbers(levels.map(({ moment }) => formatQuantity(moment))),
  ],
  read: nothing,
})

const placesOf = (rows: readonly Pick<GroupLevel, 'customerId' | 'meterKey' | 'bucket' | 'group'>[]) => [
  texts(rows.map(({ customerId }) => customerId)),
  texts(rows.map(({ meterKey }) => meterKey)),
  instants(rows.map(({ bucket }) => bucket)),
  uuids(rows.map(({ group }) => group)),
]
