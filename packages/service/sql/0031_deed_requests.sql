-- A request that wanted what was being done at that moment: it is answered by that deed, now and whenever it is
-- repeated, and whoever made it had a hand in it.
create table subscription_deed_request (
  customer_id text not null references customer,
  deed_id text not null references subscription_deed,
  -- The idempotency operation of the request.
  operation text primary key,
  actor text not null,
  reason text,
  created_at timestamptz not null
);
create index subscription_deed_request_deed on subscription_deed_request (deed_id);
create index subscription_deed_request_customer on subscription_deed_request (customer_id);

-- A pause ends the period that runs: in the second in which it began, too.
alter table subscription drop constraint subscription_check;
alter table subscription add check (current_period_end >= current_period_start);
