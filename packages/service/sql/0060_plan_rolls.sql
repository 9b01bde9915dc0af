-- Whoever is on one version of a plan is to go on to another, as its price is another. Recorded here; nothing is done
-- by itself.
create table plan_roll (
  id text primary key,
  plan_key text not null references plan,
  from_version_id text not null references plan_version,
  to_version_id text not null references plan_version,
  state text not null check (state in ('planned', 'superseded')),
  planned_at timestamptz not null,
  check (from_version_id <> to_version_id),
  unique (from_version_id, to_version_id)
);
-- To one version at a time.
create unique index plan_roll_planned on plan_roll (from_version_id) where state = 'planned';
create index plan_roll_plan on plan_roll (plan_key);
