-- What becomes due for a customer, by the customer's own time: a deadline, the end of a pending trial.
-- The job queue carries wall-clock work only.
create table due (
  id text primary key,
  customer_id text not null references customer,
  kind text not null,
  -- What of ours it is about; each becomes due once.
  subject_id text not null,
  due_at timestamptz not null,
  -- What was done about it, and when in the customer's time; null until then.
  outcome text,
  settled_at timestamptz,
  created_at timestamptz not null,
  unique (kind, subject_id),
  check ((outcome is null) = (settled_at is null))
);
create index due_open on due (due_at) where settled_at is null;
create index due_customer on due (customer_id);

-- A reduction that a registration may name. Once it is known to the provider it changes no more.
create table coupon (
  key text primary key,
  name text not null,
  -- Hundredths of a percent; null where it takes off an amount.
  basis_points integer check (basis_points between 1 and 10000),
  -- Minor units of the currency; null where it takes off a share.
  amount bigint check (amount > 0),
  currency text check (currency ~ '^[a-z]{3}$'),
  duration text not null check (duration in ('once', 'repeating', 'forever')),
  duration_in_months integer check (duration_in_months > 0),
  redeem_by timestamptz,
  max_redemptions integer check (max_redemptions > 0),
  archived_at timestamptz,
  created_at timestamptz not null,
  check ((basis_points is null) <> (amount is null)),
  check ((amount is null) = (currency is null)),
  check ((duration = 'repeating') = (duration_in_months is not null))
);

alter table mapping drop constraint mapping_entity_type_check;
alter table mapping add constraint mapping_entity_type_check check (entity_type in
  ('customer', 'product', 'plan', 'price', 'coupon', 'subscription', 'subscription_item', 'test_clock'));

-- How a plan is bought, and in how many payments; null for as many as there are periods.
alter table plan_version add column purchase text not null default 'membership';
alter table plan_version add column payments integer check (payments > 1);

-- The plan that whoever signs up without choosing one gets, and what follows its trial.
create table sign_up (
  only_row boolean primary key default true check (only_row),
  plan_key text not null references plan,
  after_trial text not null check (after_trial in ('expire', 'moveTo', 'extend')),
  next_plan_key text references plan,
  extend_days integer check (extend_days > 0),
  check ((after_trial = 'moveTo') = (next_plan_key is not null)),
  check ((after_trial = 'extend') = (extend_days is not null))
);

-- What is known about the tax of a registration, and whether it was to be told later.
alter table registration add column tax jsonb;
-- Where the customer is, for the tax; erased with the rest of the person.
alter table customer_profile add column address jsonb;
