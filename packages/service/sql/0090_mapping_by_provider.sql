-- The index by the provider's id begins with it. It began with what is the same for all rows, the provider and its
-- account, and while a table is small and not analysed yet that much of it looks good enough to Postgres, which keeps the
-- plan: each look at one link then read all of them.
alter table mapping
  drop constraint mapping_provider_provider_account_livemode_provider_id_enti_key,
  add unique (provider_id, entity_type, provider, provider_account, livemode);
