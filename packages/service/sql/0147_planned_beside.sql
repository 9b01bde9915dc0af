-- What is planned goes on with what somebody changes at the provider until it comes: it is written down anew, from what stands by then.
-- Of what it was decided by, the numbers of items; null of what was recorded before this.
alter table plan_change add column from_item_numbers jsonb,
  -- What its schedule was told before, until it is told anew: {planVersionId, quantity, addons, itemNumbers}.
  add column still_told jsonb;
