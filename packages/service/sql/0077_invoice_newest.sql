-- The newest period of a subscription is one step of this index, however many it has had.
create index invoice_newest on invoice (subscription_id, period_end desc, period_start desc)
  where plan_version_id is not null;
