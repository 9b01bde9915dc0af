-- A price that one subscription has of its own in the place of its plan's, or the plan's again. A row never changes, but for an erasure:
-- one made later holds instead, so that the rows are the record of who did what, when and why.
create table price_override (
  -- The order in which they were made: given while the customer's gate is closed, so it is the order of commits.
  -- The id says when it was asked for, which an attempt that died and was repeated may have been long before.
  sequence bigint generated always as identity unique,
  id text primary key,
  customer_id text not null references customer,
  subscription_id text not null references subscription,
  price_key text not null,
  -- The price as core writes it; null for the plan's own.
  definition jsonb,
  -- It holds for the periods that begin at this moment or after it.
  starts_at timestamptz not null,
  -- What was asked for, and when that period begins as the cycle stood then: `starts_at` of `nextPeriod` is the
  -- second after the running one began, because the next may begin before its time.
  first_period text not null check (first_period in ('currentPeriod', 'nextPeriod')),
  expected_at timestamptz not null,
  reason text not null,
  -- The key that it came by, and the person whom the application named.
  made_by text not null,
  agent text,
  made_at timestamptz not null
);
create index price_override_subscription on price_override (subscription_id, sequence);
