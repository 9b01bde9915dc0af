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

-- Every accepted event, by month of its own time; partitions are made as events come.
create table usage_event (
  customer_id text not null,
  meter_key text not null,
  time timestamptz not null,
  quantity numeric(24, 9) not null,
  identity uuid not null,
  source text not null,
  id text not null,
  data jsonb,
  received_at timestamptz not null
) partition by range (time);

-- What the invoice is rated from. A bucket is an hour, cut where a billing period begins inside it
-- (usage_cut), so that a period is always a whole number of buckets. Lanes keep parallel writers
-- from waiting for each other's row.
create table usage_rollup (
  customer_id text not null,
  meter_key text not null,
  bucket timestamptz not null,
  lane smallint not null,
  count bigint not null,
  sum numeric(38, 9) not null,
  max numeric(24, 9) not null,
  last numeric(24, 9) not null,
  last_at timestamptz not null,
  primary key (customer_id, meter_key, bucket, lane)
);

create table usage_cut (
  customer_id text not null references customer,
  at timestamptz not null,
  primary key (customer_id, at)
);
