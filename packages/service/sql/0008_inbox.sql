-- One order for everything we learn of a provider: drawn when an event is received, and before a
-- fetch or write of our own begins. A fetch that began after an event came has seen its effect.
create sequence observation_counter;

-- Every event a provider sent, once. The row stays as audit trail.
create table provider_event (
  provider text not null,
  id text not null,
  type text not null,
  object_type text not null,
  object_id text not null,
  -- The provider's (perhaps simulated) time, one-second resolution. Never compared with the wall's.
  created timestamptz not null,
  api_version text,
  livemode boolean not null,
  payload jsonb not null,
  state text not null default 'received' check (state in ('received', 'processed', 'ignored', 'parked')),
  outcome text,
  observation bigint not null default nextval('observation_counter'),
  attempts integer not null default 0,
  -- Who is at work on it, and until when at most, by the database's clock.
  claimed_by text,
  claimed_until timestamptz,
  next_attempt_at timestamptz not null,
  problem jsonb,
  received_at timestamptz not null,
  processed_at timestamptz,
  primary key (provider, id),
  check ((state = 'received') = (processed_at is null))
);
create index provider_event_waiting on provider_event (next_attempt_at) where state = 'received';
create index provider_event_waiting_object on provider_event (object_type, object_id) where state = 'received';
create index provider_event_parked on provider_event (received_at) where state = 'parked';
create index provider_event_object on provider_event (object_id);
create index provider_event_received on provider_event (received_at desc, id desc);

-- The last we saw of each object. No foreign keys: events come in any order.
create table provider_object (
  provider text not null,
  type text not null,
  id text not null,
  raw jsonb not null,
  -- The newest event of it that was seen, applied or not.
  last_event_created timestamptz,
  -- Which of two answers is newer: see observation_counter.
  observation bigint not null,
  -- A write or fetch of our own came after the newest event: the next payload cannot be trusted.
  own_since boolean not null default false,
  gone boolean not null default false,
  updated_at timestamptz not null,
  primary key (provider, type, id)
);
-- One token row for each provider account and endpoint: GCRA's theoretical arrival time. Shared by
-- all processes and told by the database's clock.
create table provider_limit (
  name text primary key,
  arrival timestamptz not null
);
