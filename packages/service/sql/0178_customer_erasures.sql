-- A person who was forgotten, and what they had left at the provider to be charged: it pays for nothing new, and is taken off
-- there as soon as nothing waits for it any more.
create table customer_erasure (
  id text primary key,
  customer_id text not null references customer,
  -- Whom the provider had linked then: one that is linked later is somebody else's.
  provider_id text not null,
  -- When the person was forgotten, and when it was written down here; in between, by the wall's clock, somebody may have come
  -- back to an earlier version.
  erased_at timestamptz not null,
  recorded_at timestamptz not null,
  -- What was there, by the provider's ids; null until it was looked at.
  payment_methods text[],
  sources text[],
  -- Subscriptions and invoices for which there still was something to collect.
  waits_for text[],
  -- Since when nothing new can be charged to what was the customer's default, and what waits is charged to it by name …
  ready_at timestamptz,
  -- … unless it stays the default, because others use it, or because of its kind.
  default_stays boolean not null default false,
  outcome text check (outcome in ('detached', 'deleted', 'unlinked')),
  done_at timestamptz,
  check (erased_at <= recorded_at),
  check ((payment_methods is null) = (waits_for is null) and (payment_methods is null) = (sources is null)),
  check (ready_at is null or payment_methods is not null),
  check (outcome <> 'detached' or payment_methods is not null),
  check ((outcome is null) = (done_at is null))
);
create index customer_erasure_open on customer_erasure (customer_id) where done_at is null;
create index customer_erasure_customer on customer_erasure (customer_id);
