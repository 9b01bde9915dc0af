-- At the provider a subscription may have none of what it pays for: it is billed nothing, or the flat amount of a first
-- tier. It may also be changed from there.
alter table subscription drop constraint subscription_quantity_check,
  add constraint subscription_quantity_check check (quantity >= 0);
alter table plan_change drop constraint plan_change_from_quantity_check, drop constraint plan_change_quantity_check,
  add constraint plan_change_from_quantity_check check (from_quantity >= 0),
  add constraint plan_change_quantity_check check (quantity >= 0);
