-- A provider's test clock. Its customers live at `frozen_at`, not at the wall's time.
create table test_clock (
  id text primary key,
  name text,
  provider_id text unique,
  frozen_at timestamptz not null,
  -- Where an advance under way is heading; null when the clock stands still and what happened on
  -- the way is taken in.
  advancing_to timestamptz,
  created_at timestamptz not null,
  check (advancing_to is null or advancing_to >= frozen_at)
);

-- Who pays. `external_id` is the application's own user id.
create table customer (
  id text primary key,
  external_id text not null unique,
  -- Locked by the first subscription, as Stripe locks it.
  currency text check (currency ~ '^[a-z]{3}$'),
  test_clock_id text references test_clock,
  created_at timestamptz not null
);
create index customer_test_clock on customer (test_clock_id) where test_clock_id is not null;

-- Personal data, in rows of its own that can be erased.
create table customer_profile (
  customer_id text primary key references customer,
  name text,
  email text
);

-- Which object of ours is which object of the provider's. One provider object may stand for two
-- entities of ours (a Stripe product is a plan and its add-on twin), hence entity_type in the key.
create table mapping (
  entity_type text not null check (entity_type in ('customer', 'product', 'plan', 'price', 'subscription', 'subscription_item', 'test_clock')),
  entity_id text not null,
  provider text not null,
  provider_account text not null,
  livemode boolean not null,
  provider_type text not null,
  provider_id text not null,
  origin text not null check (origin in ('outbound', 'webhook', 'import', 'link')),
  created_at timestamptz not null,
  primary key (entity_type, entity_id, provider),
  unique (provider, provider_account, livemode, provider_id, entity_type)
);
