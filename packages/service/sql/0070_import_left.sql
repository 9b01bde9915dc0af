-- Prices that are listed and get no link of their own, each with the reason: no refusal, and nothing that is made.
alter table import_cursor add column left_alone integer not null default 0;
create table import_left (
  import_id text not null references import_run,
  type text not null,
  provider_id text not null,
  reason text not null check (reason in ('metered', 'catalogue', 'own')),
  primary key (import_id, type, provider_id)
);
