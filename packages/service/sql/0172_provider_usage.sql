-- What of a subscription the provider's own meters count: each item with its price and the end of its period.
alter table subscription add column metered_items jsonb not null default '[]'
  check (jsonb_typeof(metered_items) = 'array');
update subscription s set metered_items = (
  select jsonb_agg(jsonb_build_object('item', i ->> 'id', 'price', i -> 'price' ->> 'id',
    'end', (i ->> 'current_period_end')::bigint) order by i ->> 'id')
  from jsonb_array_elements(o.raw -> 'items' -> 'data') i
  where i -> 'price' -> 'recurring' ->> 'usage_type' = 'metered')
from mapping m join provider_object o on o.provider = m.provider and o.type = 'subscription' and o.id = m.provider_id
where m.entity_type = 'subscription' and m.entity_id = s.id and m.provider = 'stripe'
  and o.raw @> '{"items": {"data": [{"price": {"recurring": {"usage_type": "metered"}}}]}}'
  and o.raw @> '{"items": {"has_more": false}}';

-- What those meters have counted of a period, as the provider said when it was asked; it bills that by itself.
create table provider_usage (
  subscription_id text not null references subscription,
  period_start timestamptz not null,
  period_end timestamptz not null,
  -- In the customer's own time.
  as_of timestamptz not null,
  -- Drawn before it was asked.
  observation bigint not null,
  -- All lines together, in the provider's own units, added up from its answer.
  stated bigint not null,
  lines jsonb not null check (jsonb_typeof(lines) = 'array'),
  primary key (subscription_id, period_end),
  check (period_start < period_end)
);

-- Whose usage is asked for next, by the wall's clock. Whoever takes one puts it off first.
create table provider_usage_reading (
  subscription_id text primary key references subscription,
  due_at timestamptz not null
);
create index provider_usage_reading_due on provider_usage_reading (due_at);
insert into provider_usage_reading (subscription_id, due_at)
select id, to_timestamp(0) from subscription
where metered_items <> '[]' and status not in ('canceled', 'incomplete_expired');
