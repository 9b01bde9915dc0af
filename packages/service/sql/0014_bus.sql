-- What a message bus delivered, once each. It is stored before it is acknowledged; the row stays as audit
-- trail. Of the body only what we use is kept, and, since it is personal, only until it was used.
create table bus_message (
  id text primary key,
  subject text not null,
  -- Who sent it and what they call it. A message that is delivered again has the same pair.
  source text not null,
  message_id text not null,
  -- Null: used already, or it could not be read.
  content jsonb,
  state text not null default 'received' check (state in ('received', 'processed', 'parked')),
  outcome text,
  registration_id text references registration (id),
  attempts integer not null default 0,
  -- Who is at work on it, and until when at most, by the database's clock.
  claimed_by text,
  claimed_until timestamptz,
  next_attempt_at timestamptz not null,
  problem jsonb,
  -- By the sender's clock, where it says so: for the figure of how long a newcomer waited.
  sent_at timestamptz,
  received_at timestamptz not null,
  processed_at timestamptz,
  unique (source, message_id),
  check ((state = 'received') = (processed_at is null)),
  check (state <> 'processed' or content is null)
);
create index bus_message_waiting on bus_message (next_attempt_at) where state = 'received';
create index bus_message_parked on bus_message (id) where state = 'parked';
create index bus_message_registration on bus_message (registration_id) where registration_id is not null;
