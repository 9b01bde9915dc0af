-- What is sold. A plan that is sold never changes: a change makes a new version, and who is on the
-- old one stays there until rolled.
create table product (
  key text primary key,
  name text not null,
  description text,
  unit_label text,
  tax_code text,
  -- Counts the changes; the provider was told of them up to `published_revision`.
  revision integer not null default 1,
  published_revision integer not null default 0,
  archived_at timestamptz,
  created_at timestamptz not null
);

create table meter (
  key text primary key,
  name text not null,
  unit_label text not null,
  aggregation text not null check (aggregation in ('count', 'sum', 'max', 'last')),
  archived_at timestamptz,
  created_at timestamptz not null
);

create table plan (
  key text primary key,
  archived_at timestamptz,
  created_at timestamptz not null
);

create table plan_version (
  id text primary key,
  plan_key text not null references plan,
  version integer not null check (version > 0),
  name text not null,
  audience text not null check (audience in ('public', 'admin', 'legacy')),
  product_key text not null references product,
  currency text not null check (currency ~ '^[a-z]{3}$'),
  interval text not null check (interval in ('day', 'week', 'month', 'year')),
  interval_count integer not null check (interval_count > 0),
  trial_days integer not null check (trial_days between 0 and 730),
  trial_usage text not null check (trial_usage in ('free', 'billed')),
  rolls_into text references plan,
  -- SHA-256 of the canonical JSON of the whole version, prices included.
  content_hash bytea not null,
  created_at timestamptz not null,
  unique (plan_key, version)
);

create table price (
  id text primary key,
  plan_version_id text not null references plan_version,
  key text not null,
  position integer not null,
  product_key text not null references product,
  meter_key text references meter,
  currency text not null check (currency ~ '^[a-z]{3}$'),
  kind text not null check (kind in ('recurring', 'usage', 'share')),
  timing text not null check (timing in ('inAdvance', 'inArrears')),
  model text not null check (model in ('flat', 'perUnit', 'package', 'graduated', 'volume', 'percentage')),
  -- The price as core writes it, integers as decimal text.
  definition jsonb not null,
  unique (plan_version_id, key),
  check ((kind = 'usage') = (meter_key is not null)),
  check ((kind = 'share') = (model = 'percentage')),
  check (kind = 'recurring' or timing = 'inArrears')
);
create index price_meter on price (meter_key);
