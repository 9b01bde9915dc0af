-- One row: which installation this database belongs to. Every object that Lockstep makes at a
-- provider carries `instance` in its metadata, so that two installations on one account, or a
-- restored backup, never touch each other's objects.
create table installation (
  only_row boolean primary key default true check (only_row),
  instance text not null default 'instance_' || replace(gen_random_uuid()::text, '-', ''),
  -- Set by the first provider connection; a key of another mode or account is refused afterwards.
  livemode boolean,
  provider_account text,
  created_at timestamptz not null default now()
);
insert into installation default values;

-- Keys of the application's back end. The key itself is shown once and never stored.
create table api_key (
  id text primary key,
  name text not null,
  prefix text not null,
  key_hash bytea not null unique,
  scopes text[] not null check (cardinality(scopes) > 0),
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- One answer for each repeated request. `operation` is the stable name under which the handler
-- records what it makes, so that a repetition after a crash finds it instead of making it again.
create table idempotency_key (
  caller text not null,
  method text not null,
  path text not null,
  key text not null,
  body_hash bytea not null,
  operation text not null unique,
  status integer,
  response jsonb,
  -- The process that works on it, and until when without a further word; by the database's clock.
  holder text not null,
  locked_until timestamptz not null,
  created_at timestamptz not null,
  completed_at timestamptz,
  primary key (caller, method, path, key),
  check ((status is null) = (completed_at is null))
);
create index idempotency_key_created on idempotency_key (created_at);
