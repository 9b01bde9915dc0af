-- Who was here before. Refused for ever: this table has no retention. The key is the first 16 bytes
-- of SHA-256 over source and id, the body hash tells a repetition from a conflict.
create table usage_identity (
  key uuid not null,
  body_hash uuid not null,
  primary key (key)
) partition by hash (key);
create table usage_identity_0 partition of usage_identity for values with (modulus 8, remainder 0);
create table usage_identity_1 partition of usage_identity for values with (modulus 8, remainder 1);
create table usage_identity_2 partition of usage_identity for values with (modulus 8, remainder 2);
create table usage_identity_3 partition of usage_identity for values with (modulus 8, remainder 3);
create table usage_identity_4 partition of usage_identity for values with (modulus 8, remainder 4);
create table usage_identity_5 partition of usage_identity for values with (modulus 8, remainder 5);
create table usage_identity_6 partition of usage_identity for values with (modulus 8, remainder 6);
create table usage_identity_7 partition of usage_identity for values with (modulus 8, remainder 7);

-- Every accepted event, by month of its own time; months are made as events come. No other index than
-- this one, which costs next to nothing and finds an hour's rows where events came in their order.
create table usage_event (
  customer_id text not null,
  meter_key text not null,
  time timestamptz not null,
  quantity numeric(24, 9) not null,
  source text not null,
  id text not null,
  data jsonb not null,
  received_at timestamptz not null
) partition by range (time);
create index usage_event_time on usage_event using brin (time);
-- So that made-up times do not make a table for every month since the year 0.
create table usage_event_before_2010 partition of usage_event for values from (minvalue) to ('2010-01-01Z');

-- What the invoice is rated from. A bucket is an hour, cut where a billing period begins inside it
-- (usage_cut), so that a period is always a whole number of buckets. The last event is the one with
-- the greatest (time, id); C, so that the order is the same on every server. Rows change all the
-- time, so pages keep some room for them.
create table usage_rollup (
  customer_id text not null,
  meter_key text not null,
  bucket timestamptz not null,
  count bigint not null,
  sum numeric(38, 9) not null,
  max numeric(24, 9) not null,
  last numeric(24, 9) not null,
  last_at timestamptz not null,
  last_id text collate "C" not null,
  primary key (customer_id, bucket, meter_key)
) with (fillfactor = 60);

create table usage_cut (
  customer_id text not null references customer,
  at timestamptz not null,
  primary key (customer_id, at)
);
