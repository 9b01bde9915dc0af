-- How many pictures syncs took of an invoice. Only who told the newest may say that nothing is pending any more: a sync
-- that looked before it, and ends after it (or after it was killed), knows nothing of what it saw.
alter table invoice add column pictures integer not null default 0;
