-- Usage may be billed more often than the fees: monthly on an annual plan. Null where it is billed with them.
alter table plan_version
  add column usage_interval text check (usage_interval in ('day', 'week', 'month', 'year')),
  add column usage_interval_count integer check (usage_interval_count > 0),
  add constraint usage_interval_whole check ((usage_interval is null) = (usage_interval_count is null));
