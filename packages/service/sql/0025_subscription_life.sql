-- What happens to a subscription's invoices: charged, or made and not collected for a while.
alter table subscription
  add column collection text not null default 'charging'
    check (collection in ('charging', 'keepAsDraft', 'markUncollectible', 'void')),
  add column collection_resumes_at timestamptz,
  -- Since when a payment is overdue, without a break; null while none is.
  add column past_due_since timestamptz,
  -- In the customer's time; null of one that was not written since it is kept.
  add column modified_at timestamptz;

-- Something that is done to a subscription on somebody's word: canceled, resumed, paused. One at a time.
create table subscription_deed (
  id text primary key,
  customer_id text not null references customer,
  subscription_id text not null references subscription,
  kind text not null,
  input jsonb not null,
  -- Who asked: the caller's id, or the part of the system that did.
  actor text not null,
  reason text,
  -- The idempotency operation of the request that made it.
  operation text not null unique,
  workflow_id text not null unique references workflow,
  created_at timestamptz not null,
  ended_at timestamptz
);
create unique index subscription_deed_under_way on subscription_deed (subscription_id) where ended_at is null;
create index subscription_deed_customer on subscription_deed (customer_id);

-- How a subscription stood, from when to when: half-open stretches, the last one without an end. The foreign key
-- says that each begins where the one before it ended, the check that none ends before it begins: so none can
-- overlap and none can leave a gap, which an exclusion constraint could not say. It takes no extension either,
-- and a stretch of no length keeps what came and went within one second.
create table subscription_history (
  customer_id text not null references customer,
  subscription_id text not null references subscription,
  ordinal integer not null check (ordinal > 0),
  previous integer generated always as (nullif(ordinal - 1, 0)) stored,
  starts_at timestamptz not null check (isfinite(starts_at)),
  ends_at timestamptz not null default 'infinity',
  plan_version_id text not null references plan_version,
  status text not null,
  currency text not null,
  quantity integer not null,
  collection text not null,
  cancel_at timestamptz,
  cancel_at_period_end boolean not null,
  -- The fee of one interval of the plan version, in minor units, before discounts and tax.
  fee bigint not null,
  cause text not null,
  deed_id text references subscription_deed,
  -- When we learned of it, in the customer's time: never before it began.
  recorded_at timestamptz not null check (recorded_at >= starts_at),
  primary key (subscription_id, ordinal),
  unique (subscription_id, ordinal, ends_at),
  foreign key (subscription_id, previous, starts_at)
    references subscription_history (subscription_id, ordinal, ends_at),
  check (ends_at >= starts_at)
);
-- One stretch has no end: the last one.
create unique index subscription_history_open on subscription_history (subscription_id) where ends_at = 'infinity';
create index subscription_history_customer on subscription_history (customer_id, starts_at);
create index subscription_history_starts on subscription_history (starts_at);

-- Lists: what changed lately, which trials end, who is behind.
create index subscription_modified on subscription (modified_at);
create index subscription_status on subscription (status, id);
