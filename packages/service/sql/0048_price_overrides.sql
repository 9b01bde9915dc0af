-- A price that one subscription has of its own in the place of its plan's, or the plan's again. A row never changes:
-- a later one holds instead, so that the rows are the record of who did what, when and why.
create table price_override (
  id text primary key,
  customer_id text not null references customer,
  subscription_id text not null references subscription,
  price_key text not null,
  -- The price as core writes it; null for the plan's own.
  definition jsonb,
  -- It holds for the periods that begin at this moment or after it.
  starts_at timestamptz not null,
  reason text not null,
  -- The key that it came by, and the person whom the application named.
  made_by text not null,
  agent text,
  made_at timestamptz not null
);
create index price_override_subscription on price_override (subscription_id, id);
