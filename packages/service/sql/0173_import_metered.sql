-- Subscriptions on the pages so far that run and have something that the provider's own meters count.
alter table import_cursor add column metered integer not null default 0;
