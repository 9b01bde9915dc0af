-- How often flat prices that are sold beside others stand on a subscription at the provider, where that is not once:
-- {key: number, …}, an add-on's price behind the add-on's key and a dot. Compared and replaced as a whole.
alter table subscription add column flat_numbers jsonb not null default '{}';
alter table subscription_history add column flat_numbers jsonb not null default '{}';
