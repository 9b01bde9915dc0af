import { type RawBuilder, sql } from 'kysely'

/**
 * Whether an event of `usage_event`, here called `event`, counts: its meter's filter, if it has one, lets
 * it through. As core's `passesFilter`.
 */
export const isCounted = (event: string): RawBuilder<boolean> => sql`not exists (
  select from meter as its_meter cross join lateral jsonb_each(its_meter.rules -> 'filter') as wanted (name, texts)
  where its_meter.key = ${sql.ref(`${event}.meter_key`)}
    and not coalesce(texts ? (${sql.ref(`${event}.data`)} ->> wanted.name), false)
)`
