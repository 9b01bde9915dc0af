-- How many of a price stand on a subscription at the provider, where that is not what its quantity says: {key: number, …}, null where
-- it has no item, an add-on's price behind the add-on's key and a dot; and then of a change. Compared and replaced as a whole. They take
-- the place of flat_numbers, which are left to processes of a version before this one.
alter table subscription add column item_numbers jsonb not null default '{}';
alter table subscription_history add column item_numbers jsonb not null default '{}';
alter table plan_change add column item_numbers jsonb not null default '{}';
