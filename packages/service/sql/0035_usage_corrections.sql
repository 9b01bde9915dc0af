-- What a person corrected of usage that had been taken in: who, when, why, and what it made of the invoices.
-- Never changed; an amended event may be amended again.
create table usage_correction (
  id text primary key,
  customer_id text not null references customer,
  meter_key text not null,
  kind text not null check (kind in ('void', 'amend', 'backfill')),
  -- The whole hours that were counted again; half-open.
  period_start timestamptz not null,
  period_end timestamptz not null,
  -- The event that was voided or amended; null for a backfill.
  source text,
  event_id text,
  removed_events bigint not null,
  removed_quantity numeric(38, 9) not null,
  added_events bigint not null,
  added_quantity numeric(38, 9) not null,
  -- The lines that changed: before and after.
  effect jsonb not null,
  reason text not null,
  made_by text not null,
  agent text,
  made_at timestamptz not null,
  check ((kind = 'backfill') = (source is null)),
  check ((source is null) = (event_id is null))
);
create index usage_correction_customer on usage_correction (customer_id, id);

-- The events that a correction took out, as they were. Their identities stay known for ever.
create table usage_event_corrected (
  customer_id text not null,
  correction_id text not null references usage_correction deferrable initially deferred,
  meter_key text not null,
  time timestamptz not null,
  quantity numeric(24, 9) not null,
  source text not null,
  id text not null,
  data jsonb not null,
  received_at timestamptz not null
);
create index usage_event_corrected_correction on usage_event_corrected (correction_id);
create index usage_event_corrected_time on usage_event_corrected (time);
