-- What takes an amount off a final invoice. `making`: the call may be on its way; `refused`: it was, and
-- nothing came of it. The others are Stripe's.
create table credit_note (
  id text primary key,
  customer_id text not null references customer,
  invoice_id text not null references invoice,
  -- Who makes it; null for one that was made elsewhere.
  workflow_id text references workflow,
  status text not null check (status in ('making', 'refused', 'issued', 'void')),
  currency text not null,
  total bigint not null check (total >= 0),
  -- Off what was still to be paid; the rest was paid, and went back in one of three ways.
  pre_payment bigint not null,
  refunded bigint not null,
  credited bigint not null,
  out_of_band bigint not null,
  reason text,
  number text,
  pdf text,
  provider_credit_note_id text unique,
  -- The refunds that belong to it; they may be seen before or after it.
  provider_refund_ids text[] not null default '{}',
  created_at timestamptz not null,
  check (total = pre_payment + refunded + credited + out_of_band),
  check ((provider_credit_note_id is null) = (status in ('making', 'refused')))
);
create index credit_note_invoice on credit_note (invoice_id);
create index credit_note_customer on credit_note (customer_id);
