-- What the provider takes off, by its id of the discount: a subscription names no more than that. Never changed there.
create table provider_discount (
  provider text not null,
  id text not null,
  -- As a contract says it.
  terms jsonb not null,
  seen_at timestamptz not null,
  primary key (provider, id)
);
-- Those that stood on a subscription when it was last seen, in order.
alter table subscription add column discounts jsonb not null default '[]';
