-- A workflow is a plain function in named steps. Its record says how far it came.
create table workflow (
  id text primary key,
  kind text not null,
  subject_id text not null,
  input jsonb not null,
  state text not null check (state in ('running', 'completed', 'compensating', 'rolledBack', 'parked')),
  -- The step that runs, failed, or was last finished.
  stage text,
  problem jsonb,
  -- Why it is being undone; null while it goes forward. A parked one goes on in its own direction.
  refusal jsonb,
  attempts integer not null default 0,
  -- Who may run it now. Leases are told by the database's clock: processes may disagree on time.
  lease_until timestamptz,
  -- One run of one process. A run that lost its lease records nothing any more.
  lease_holder text,
  next_attempt_at timestamptz,
  created_at timestamptz not null,
  ended_at timestamptz,
  unique (kind, subject_id)
);
create index workflow_unfinished on workflow (next_attempt_at) where state in ('running', 'compensating');

create table workflow_step (
  workflow_id text not null references workflow,
  name text not null,
  ordinal integer not null,
  state text not null check (state in ('done', 'undone')),
  result jsonb,
  ended_at timestamptz not null,
  primary key (workflow_id, name)
);

-- The intention of one provider call, committed before the call is made. A row that is still
-- `prepared` after a restart is `unknown`: the provider may or may not have done it.
create table operation (
  id text primary key,
  kind text not null,
  subject_id text not null,
  attempt integer not null default 1,
  idempotency_key text not null unique,
  body_hash bytea not null,
  state text not null check (state in ('prepared', 'unknown', 'succeeded', 'refused', 'parked')),
  provider_object_id text,
  provider_request_id text,
  problem jsonb,
  prepared_at timestamptz not null,
  settled_at timestamptz,
  check ((state in ('succeeded', 'refused', 'parked')) = (settled_at is not null))
);
create index operation_unsettled on operation (prepared_at) where state in ('prepared', 'unknown');
