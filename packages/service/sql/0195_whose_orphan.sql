-- Whose an orphan is, as far as that is known, here and at the provider, and since when it is there. Null of those that were
-- found before: the next sweep says it of those that are open.
alter table orphan
  add column customer_id text,
  add column provider_customer_id text,
  add column made_at timestamptz;
