-- Money that went back to whoever paid an invoice. `making` and `refused` as of a credit note.
create table refund (
  id text primary key,
  customer_id text not null references customer,
  invoice_id text not null references invoice,
  credit_note_id text references credit_note,
  workflow_id text references workflow,
  status text not null
    check (status in ('making', 'refused', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
  currency text not null,
  amount bigint not null check (amount > 0),
  reason text,
  failure_reason text,
  provider_refund_id text unique,
  created_at timestamptz not null,
  check ((provider_refund_id is null) = (status in ('making', 'refused')))
);
create index refund_invoice on refund (invoice_id);
create index refund_customer on refund (customer_id);
