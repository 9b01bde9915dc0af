-- What stands on a subscription is looked at ten minutes before a change that is planned here comes, so that it goes on behind it. Those
-- that were planned by a version that did not do so have that look too.
insert into due (id, customer_id, kind, subject_id, due_at, created_at)
select 'due_' || replace(gen_random_uuid()::text, '-', ''), c.customer_id, 'planned-terms', c.id,
  c.due_at - interval '10 minutes', least(now(), coalesce(t.frozen_at, now()))
from plan_change c
join customer p on p.id = c.customer_id
left join test_clock t on t.id = p.test_clock_id
where c.state = 'scheduled' and c.origin = 'here'
on conflict (kind, subject_id) do nothing;
