-- A product that was taken up is committed before its prices are read at the provider: until that was done, it says so,
-- and whoever meets it next reads them.
alter table plan add column prices_unread boolean not null default false;
create index plan_prices_unread on plan (key) where prices_unread;

-- One that has no version lost its prices so, or has none.
update plan set prices_unread = true
where origin = 'provider' and archived_at is null and not exists (select from plan_version where plan_key = plan.key);
