-- What a customer's usage from the beginning of a period up to a moment comes to, added up once: reading a month hour by hour is most of
-- what an invoice costs. By meter, side by side; null while it is only announced (store/usage-sums.ts).
create table usage_sum (
  customer_id text not null,
  starts timestamptz not null,
  until timestamptz not null,
  -- The transaction that announced it: one that is forgotten and announced again is another one.
  announced xid8 not null default pg_current_xact_id(),
  meter_keys text[],
  counts int8[],
  sums numeric[],
  maxima numeric[],
  primary key (customer_id, starts, until),
  check (starts < until),
  check (num_nulls(meter_keys, counts, sums, maxima) in (0, 4))
);
create index usage_sum_until on usage_sum (until);

-- Whoever changes an hour forgets the sums that have it in them, in the same statement: so whoever sees a sum sees those hours as they
-- were when they were added up, whichever version of a process changed what since.
create function forget_usage_sums() returns trigger language plpgsql as $$
declare
  touched record;
begin
  -- Usage that comes in time is later than all that is added up.
  if exists (select from usage_sum where until > (select min(bucket) from changed)) then
    for touched in
      select customer_id, min(bucket) as first, max(bucket) as newest from changed group by customer_id order by customer_id
    loop
      delete from usage_sum
      where customer_id = touched.customer_id and starts <= touched.newest and until > touched.first;
    end loop;
  end if;
  return null;
end $$;
create trigger usage_rollup_added after insert on usage_rollup referencing new table as changed
  for each statement execute function forget_usage_sums();
create trigger usage_rollup_changed after update on usage_rollup referencing new table as changed
  for each statement execute function forget_usage_sums();
create trigger usage_rollup_removed after delete on usage_rollup referencing old table as changed
  for each statement execute function forget_usage_sums();
