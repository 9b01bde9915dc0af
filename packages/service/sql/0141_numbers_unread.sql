-- A version from before 0123 took the greatest number of a plan's items for its quantity, and one from before 0139 took it for the
-- number of each price by number. Whose items say something else than what is written of them is looked at again.
insert into due (id, customer_id, kind, subject_id, due_at, created_at)
select 'due_' || replace(gen_random_uuid()::text, '-', ''), s.customer_id, 'subscription.numbers', s.id,
  least(now(), coalesce(t.frozen_at, now())), least(now(), coalesce(t.frozen_at, now()))
from subscription s
join customer c on c.id = s.customer_id
left join test_clock t on t.id = c.test_clock_id
join mapping m on m.entity_type = 'subscription' and m.entity_id = s.id and m.provider = 'stripe'
join provider_object o on o.provider = m.provider and o.type = 'subscription' and o.id = m.provider_id
where s.status not in ('canceled', 'incomplete_expired') and exists (
  with sold as (
    select p.id, p.key, p.model, s.quantity as said, count(*) over () > 1 as is_beside
    from price p where p.plan_version_id = s.plan_version_id and p.kind = 'recurring' and p.timing = 'inAdvance'
    union all
    select p.id, a.addon || '.' || p.key, p.model, a.quantity, count(*) over (partition by v.id) > 1
    from jsonb_to_recordset(s.addons) a (addon text, version integer, quantity integer)
    join addon_version v on v.addon_key = a.addon and v.version = a.version
    join price p on p.addon_version_id = v.id and p.kind = 'recurring' and p.timing = 'inAdvance'
  ), written as (
    select id, case when s.item_numbers ? key then (s.item_numbers ->> key)::numeric
      when model = 'flat' and is_beside then 1 else said end as number
    from sold
  ), standing as (
    select l.entity_id as id, sum((i ->> 'quantity')::numeric) as number
    from jsonb_array_elements(o.raw -> 'items' -> 'data') i
    join mapping l on l.provider = m.provider and l.provider_account = m.provider_account and l.livemode = m.livemode
      and l.provider_id = i -> 'price' ->> 'id' and l.entity_type in ('price', 'addon_price')
    group by l.entity_id
  )
  select from written left join standing using (id) where written.number is distinct from standing.number)
on conflict (kind, subject_id) do nothing;
