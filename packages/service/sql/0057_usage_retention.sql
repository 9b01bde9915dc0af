-- Months whose raw events are no longer kept. Once a month stands here no event of it is stored again, for ever: an event
-- that comes yet counts in the rollups, and who was here before stands in usage_identity. A version that does not know
-- of this stores it as before, in a table of its own; that one is dropped like the first.
create table usage_expired_month (
  -- Its first moment, UTC.
  month timestamptz primary key,
  -- `expiring`: no longer read; its table may still be there.
  state text not null check (state in ('expiring', 'expired')),
  kept_months integer not null,
  decided_by text not null,
  decided_at timestamptz not null,
  -- How many events were dropped with their table, and when.
  events bigint,
  expired_at timestamptz,
  check ((state = 'expired') = (expired_at is not null)),
  check ((expired_at is null) = (events is null))
);

-- What is not stored of those months, as it was counted when it was dropped, and of what came later: so that the rollups
-- can be held against it.
create table usage_expired (
  customer_id text not null,
  meter_key text not null,
  month timestamptz not null references usage_expired_month,
  -- All of them; and those that the meter's filter lets through, with their quantities added up.
  events bigint not null,
  counted bigint not null,
  sum numeric(38, 9) not null,
  primary key (customer_id, meter_key, month)
);
