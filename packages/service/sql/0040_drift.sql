-- What the last comparison of both sides found; what came before it is in the log.
create table drift_report (
  only_row boolean primary key default true check (only_row),
  checked_at timestamptz not null,
  looked integer not null,
  under_way integer not null,
  drifts jsonb not null
);
