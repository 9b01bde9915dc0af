-- The taking up of a provider's whole account; how far it is stands in the rows below.
create table import_run (
  id text primary key,
  provider text not null,
  provider_account text not null,
  livemode boolean not null,
  dry_run boolean not null,
  workflow_id text not null unique references workflow,
  -- The idempotency operation of the request that made it.
  operation text not null unique,
  -- What both sides came to when all was read.
  proof jsonb,
  created_at timestamptz not null,
  ended_at timestamptz
);
-- One at a time: a second one would read the same pages.
create unique index import_run_under_way on import_run (provider, provider_account, livemode) where ended_at is null;

-- Of each kind of object, where to go on. The counts and the mark move together with each page.
create table import_cursor (
  import_id text not null references import_run,
  type text not null,
  last_id text,
  looked integer not null default 0,
  -- Of these: made here, here already, another installation's, and not taken up.
  made integer not null default 0,
  known integer not null default 0,
  foreign_objects integer not null default 0,
  refused integer not null default 0,
  started_at timestamptz not null,
  ended_at timestamptz,
  primary key (import_id, type)
);

-- What was not taken up, and why.
create table import_refusal (
  import_id text not null references import_run,
  type text not null,
  provider_id text not null,
  code text not null,
  detail text not null,
  primary key (import_id, type, provider_id)
);
