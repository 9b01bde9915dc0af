-- How often flat prices that are sold beside others stand there when a change has taken effect, where that is not once: as
-- subscription.flat_numbers. What waits leaves them alone where it keeps the plan.
alter table plan_change add column flat_numbers jsonb not null default '{}';
update plan_change c set flat_numbers = s.flat_numbers
from subscription s
where s.id = c.subscription_id and s.plan_version_id = c.plan_version_id and c.state in ('applying', 'scheduled');
