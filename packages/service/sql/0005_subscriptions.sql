-- The confirmation of a contract, from request to running subscription. What is done so far stands
-- in its workflow.
create table registration (
  id text primary key,
  customer_id text not null references customer,
  slot text not null,
  plan_version_id text not null references plan_version,
  subscription_id text not null unique,
  workflow_id text not null unique references workflow,
  -- The idempotency operation of the request that made it; null when it came another way.
  operation text unique,
  created_at timestamptz not null
);
create index registration_customer on registration (customer_id);

-- At most one live subscription for each customer and slot, reserved before the provider is called.
create table subscription_slot (
  customer_id text not null references customer,
  slot text not null,
  subscription_id text not null unique,
  reserved_at timestamptz not null,
  primary key (customer_id, slot)
);

create table subscription (
  id text primary key,
  customer_id text not null references customer,
  -- Null for a second live subscription that was made elsewhere: mirrored and flagged, never refused.
  slot text,
  plan_version_id text not null references plan_version,
  currency text not null,
  status text not null check (status in ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'canceled', 'paused')),
  quantity integer not null check (quantity > 0),
  billing_cycle_anchor timestamptz not null,
  current_period_start timestamptz not null,
  current_period_end timestamptz not null,
  trial_start timestamptz,
  trial_end timestamptz,
  cancel_at timestamptz,
  cancel_at_period_end boolean not null default false,
  canceled_at timestamptz,
  ended_at timestamptz,
  started_at timestamptz not null,
  created_at timestamptz not null,
  check (current_period_end > current_period_start)
);
create index subscription_customer on subscription (customer_id);
