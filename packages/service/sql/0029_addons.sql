-- What is sold beside a plan. Like a plan, one that is sold never changes: a change makes a new version.
create table addon (
  key text primary key,
  archived_at timestamptz,
  created_at timestamptz not null
);

create table addon_version (
  id text primary key,
  addon_key text not null references addon,
  version integer not null check (version > 0),
  name text not null,
  audience text not null check (audience in ('public', 'admin', 'legacy')),
  product_key text not null references product,
  currency text not null check (currency ~ '^[a-z]{3}$'),
  interval text not null check (interval in ('day', 'week', 'month', 'year')),
  interval_count integer not null check (interval_count > 0),
  -- Keys of the plans that it goes with, as core writes them; null for all of its currency and rhythm.
  plans jsonb,
  -- What one piece of it grants, as core writes it.
  grants jsonb not null default '[]',
  -- SHA-256 of the canonical JSON of the whole version, prices included.
  content_hash bytea not null,
  created_at timestamptz not null,
  unique (addon_key, version)
);

-- A price is of a version of a plan, or of one of an add-on.
alter table price
  alter column plan_version_id drop not null,
  add column addon_version_id text references addon_version,
  add constraint price_of_one check (num_nonnulls(plan_version_id, addon_version_id) = 1),
  add constraint price_addon_key unique (addon_version_id, key);
