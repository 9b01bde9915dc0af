-- What an application asks about before it lets a customer do something. Plans grant it.
create table feature (
  key text primary key,
  name text not null,
  kind text not null check (kind in ('switch', 'limit', 'metered')),
  meter_key text references meter,
  unit_label text,
  archived_at timestamptz,
  created_at timestamptz not null,
  check ((kind = 'metered') = (meter_key is not null)),
  check ((kind = 'limit') = (unit_label is not null))
);

-- What a version of a plan grants, as core writes it: a list by feature, integers as decimal text.
alter table plan_version add column grants jsonb not null default '[]';

-- One row: who sells, the other party of every contract, and by which text.
create table seller (
  only_row boolean primary key default true check (only_row),
  name text not null,
  address text,
  email text,
  tax_id text,
  terms_version text,
  terms_url text,
  check (terms_version is not null or terms_url is null)
);
