-- The add-ons of a subscription: [{"addon": key, "version": n, "quantity": n}, …] in the order of their keys. It is one
-- value, compared and replaced as a whole, as the plan version and the quantity beside it are; the rows of
-- `addon_version` that it names are never deleted.
alter table subscription add column addons jsonb not null default '[]';
alter table subscription_history add column addons jsonb not null default '[]';
alter table registration add column addons jsonb not null default '[]';
alter table plan_change
  add column from_addons jsonb not null default '[]',
  add column addons jsonb not null default '[]';
