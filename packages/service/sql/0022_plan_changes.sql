-- When changes of plans take effect; without a row as by default.
create table change_policy (
  only_row boolean primary key default true check (only_row),
  upgrade text not null check (upgrade in ('now', 'periodEnd')),
  downgrade text not null check (downgrade in ('now', 'periodEnd'))
);

-- A wish to change what a subscription runs on, and what became of it. It takes effect in the
-- transaction that sees the subscription changed at the provider, whoever was first to tell.
create table plan_change (
  id text primary key,
  customer_id text not null references customer,
  subscription_id text not null references subscription,
  workflow_id text not null unique references workflow,
  -- The idempotency operation of the request that made it.
  operation text unique,
  -- Of what is wished: the same wish at the same time is one change.
  request_hash text not null,
  from_plan_version_id text not null references plan_version,
  from_quantity integer not null check (from_quantity > 0),
  plan_version_id text not null references plan_version,
  quantity integer not null check (quantity > 0),
  -- Keys of the coupons that are redeemed with it.
  coupons jsonb not null default '[]',
  direction text not null check (direction in ('upgrade', 'downgrade', 'level')),
  takes_effect text not null check (takes_effect in ('now', 'periodEnd')),
  -- `applying`: its workflow has not ended. `scheduled`: the provider does it when the period is over.
  state text not null check (state in ('applying', 'scheduled', 'effective', 'withdrawn', 'refused')),
  -- Of a scheduled one: when, and the provider's schedule that does it.
  due_at timestamptz,
  provider_schedule_id text,
  -- The contract that is made when it takes effect, where it changes what was agreed.
  contract_id text not null unique,
  -- Who asked: the caller's id, and the application's words for where.
  requested_by text not null,
  request_origin text,
  effective_at timestamptz,
  created_at timestamptz not null,
  check ((state = 'effective') = (effective_at is not null)),
  check (state <> 'scheduled' or (due_at is not null and provider_schedule_id is not null))
);
create unique index plan_change_applying on plan_change (subscription_id) where state = 'applying';
create unique index plan_change_scheduled on plan_change (subscription_id) where state = 'scheduled';
create index plan_change_subscription on plan_change (subscription_id, id);
create index plan_change_customer on plan_change (customer_id);
