-- What a person adds to an invoice before it is final: a credit, a charge, or a note of no amount. Its
-- content never changes: it is withdrawn, and another one may supersede it. Both say who and why.
create table adjustment (
  id text primary key,
  customer_id text not null references customer,
  invoice_id text not null references invoice,
  kind text not null check (kind in ('credit', 'charge', 'note')),
  currency text not null,
  -- What it adds to the invoice.
  amount bigint not null,
  -- What the customer reads.
  description text not null,
  -- Why, for the records; the customer does not read it.
  reason text not null,
  -- The key that it came by, and the person whom the application named.
  made_by text not null,
  agent text,
  made_at timestamptz not null,
  supersedes text unique references adjustment,
  withdrawn_by text,
  withdrawn_at timestamptz,
  withdrawal_reason text,
  check (case kind when 'credit' then amount < 0 when 'charge' then amount > 0 else amount = 0 end),
  check (num_nulls(withdrawn_by, withdrawn_at, withdrawal_reason) in (0, 3))
);
create index adjustment_invoice on adjustment (invoice_id);
