-- Of meters with dimensions: what usage comes to apart, beside what is kept of all of it together. A group is
-- the values of an event's dimensions; its id is the first 16 bytes of SHA-256 over them.
create table usage_group (
  customer_id text not null,
  meter_key text not null,
  id uuid not null,
  -- A list of texts in the order of the meter's dimensions; null where the event's data has no such property.
  dimension_values jsonb not null,
  primary key (customer_id, meter_key, id)
);

-- As usage_rollup, usage_unique and usage_level: by the same buckets, and for each group.
create table usage_group_rollup (
  customer_id text not null,
  meter_key text not null,
  bucket timestamptz not null,
  group_id uuid not null,
  count bigint not null,
  sum numeric(38, 9) not null,
  max numeric(24, 9) not null,
  last numeric(24, 9) not null,
  last_at timestamptz not null,
  last_id text collate "C" not null,
  primary key (customer_id, meter_key, bucket, group_id)
) with (fillfactor = 60);

create table usage_group_unique (
  customer_id text not null,
  meter_key text not null,
  bucket timestamptz not null,
  group_id uuid not null,
  value uuid not null,
  primary key (customer_id, meter_key, bucket, group_id, value)
);

create table usage_group_level (
  customer_id text not null,
  meter_key text not null,
  bucket timestamptz not null,
  group_id uuid not null,
  change numeric(38, 9) not null,
  moment numeric(48, 9) not null,
  primary key (customer_id, meter_key, bucket, group_id)
);
