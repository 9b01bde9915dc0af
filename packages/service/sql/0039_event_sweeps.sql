-- Up to when the provider's list of events was read into the inbox: what no webhook brought is found there.
create table event_sweep (
  provider text not null,
  provider_account text not null,
  livemode boolean not null,
  -- By the wall's clock: when the last sweep that came to its end had begun.
  swept_to timestamptz not null,
  -- The newest event that it read. Events of test clocks carry times of their own, so there it is the mark.
  newest_event text,
  -- Events that no webhook had brought, found by the last sweep.
  missed integer not null,
  -- When every object was last listed, because the events of an outage were no longer kept.
  relisted_at timestamptz,
  primary key (provider, provider_account, livemode)
);
