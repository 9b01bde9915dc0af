import { numbers, texts, timestamps } from '../postgres/sql-arrays.ts'
import type { Arrival } from './arrival.ts'
import type { Statement } from './exchange.ts'

/** Writes down how many events came for months that are no longer kept: see `usage_expired`. */
export const countExpired = (arrivals: readonly Arrival[]): Statement<void> => ({
  name: 'count_expired',
  text: `insert into usage_expired as here (customer_id, meter_key, month, events, counted, sum)
    select customer_id, meter_key, date_trunc('month', time, 'UTC') as month, count(*), sum(counted),
           sum(quantity * counted)
    from unnest($1::text[], $2::text[], $3::timestamptz[], $4::numeric[], $5::int4[])
      as arrival (customer_id, meter_key, time, quantity, counted)
    group by 1, 2, 3 order by 1, 2, 3
    on conflict (customer_id, meter_key, month) do update set
      events = here.events + excluded.events,
      counted = here.counted + excluded.counted,
      sum = here.sum + excluded.sum`,
  values: [
    texts(arrivals.map(({ customer }) => customer.id)),
    texts(arrivals.map(({ meterKey }) => meterKey)),
    timestamps(arrivals),
    numbers(arrivals.map(({ quantityText }) => quantityText)),
    numbers(arrivals.map(({ special }) => (special?.counted === false ? 0 : 1))),
  ],
  read: () => {},
})
