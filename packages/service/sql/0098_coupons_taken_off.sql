-- Keys of the coupons that a change takes off.
alter table plan_change add column without_coupons jsonb not null default '[]';
