-- Objects at the provider that carry our name and that no row of ours points to, as the sweep found them.
create table orphan (
  provider text not null,
  provider_account text not null,
  livemode boolean not null,
  provider_type text not null,
  provider_id text not null,
  -- What the object says it came of.
  operation_id text,
  state text not null check (state in ('waiting', 'parked', 'adopted', 'removed', 'left')),
  reason text not null,
  found_at timestamptz not null,
  judged_at timestamptz not null,
  primary key (provider, provider_account, livemode, provider_type, provider_id)
);
create index orphan_open on orphan (found_at) where state in ('waiting', 'parked');

-- Up to when the sweep has seen what was made, by the wall's clock. Objects on test clocks are always looked at.
alter table installation add column orphans_swept_to timestamptz;
