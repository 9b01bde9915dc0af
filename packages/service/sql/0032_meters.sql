-- What a meter says beyond its aggregation: the property whose values it counts, the events that it counts
-- at all.
alter table meter add column rules jsonb not null default '{}';
alter table meter drop constraint meter_aggregation_check;
alter table meter add constraint meter_aggregation_check
  check (aggregation in ('count', 'sum', 'max', 'last', 'unique', 'timeWeightedSum'));

-- Of unique meters: which values a bucket saw. The value is the first 16 bytes of SHA-256 over its text.
-- Buckets are those of usage_rollup; a row for each value and bucket, however often it came.
create table usage_unique (
  customer_id text not null,
  meter_key text not null,
  bucket timestamptz not null,
  value uuid not null,
  primary key (customer_id, meter_key, bucket, value)
);

-- Of time-weighted meters: by how much a bucket changes the level, and Σ of each change times the whole
-- seconds from the bucket's start to it. A level outlives periods, so this has no retention.
create table usage_level (
  customer_id text not null,
  meter_key text not null,
  bucket timestamptz not null,
  change numeric(38, 9) not null,
  moment numeric(48, 9) not null,
  primary key (customer_id, meter_key, bucket)
);
