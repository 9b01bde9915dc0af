-- The rounds of the schedule that sends what changed to the provider: those of the last day, for whoever watches.
create table sync_round (
  id text primary key,
  began_at timestamptz not null,
  -- How many subscriptions had something to tell.
  due integer not null,
  told integer not null default 0,
  failed integer not null default 0,
  check (told >= 0 and failed >= 0 and told + failed <= due)
);
