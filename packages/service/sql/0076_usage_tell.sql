-- Months of usage that run already are told before they end, like those that begin from now on. Those that were
-- expected before have only the end itself; where both are there, nothing is added.
insert into due (id, customer_id, kind, subject_id, due_at, created_at)
select 'due_' || replace(gen_random_uuid()::text, '-', ''), d.customer_id, 'usage-tell', d.subject_id,
  d.due_at - make_interval(secs => 600 + mod(hashtext(d.subject_id)::bigint + 2147483648, 600)), d.created_at
from due d
where d.kind = 'usage-period' and d.settled_at is null
on conflict (kind, subject_id) do nothing;
