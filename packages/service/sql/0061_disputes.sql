-- A payment that whoever paid it had their bank take back. What to answer the bank is for a person, at the provider.
create table dispute (
  id text primary key,
  customer_id text not null references customer,
  -- Null where it paid no invoice of ours.
  invoice_id text references invoice,
  status text not null check (status in ('warning_needs_response', 'warning_under_review', 'warning_closed',
    'needs_response', 'under_review', 'won', 'lost', 'prevented')),
  currency text not null,
  amount bigint not null,
  -- The bank's word for why, as the provider writes it.
  reason text not null,
  -- Until when the bank takes evidence; null where it takes none.
  respond_by timestamptz,
  provider_dispute_id text not null unique,
  created_at timestamptz not null
);
create index dispute_customer on dispute (customer_id);
create index dispute_invoice on dispute (invoice_id);

create trigger dispute_added after insert on dispute
  for each row execute function note_change('id');
create trigger dispute_turned after update of status on dispute
  for each row when (old.status <> new.status) execute function note_change('id');
