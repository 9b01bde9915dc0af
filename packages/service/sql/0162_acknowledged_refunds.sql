-- A person has seen that a refund does not come to its end, and says why nothing is left to be done here. For one reason: if it gets
-- stuck for another one, it is told anew. Never changed, but when a customer is forgotten.
create table refund_acknowledgement (
  refund_id text not null references refund,
  stuck text not null check (stuck in ('unanswered', 'pending', 'actionRequired', 'failed')),
  customer_id text not null references customer,
  reason text not null,
  agent text,
  acknowledged_by text not null,
  acknowledged_at timestamptz not null,
  primary key (refund_id, stuck)
);
create index refund_acknowledgement_customer on refund_acknowledgement (customer_id);
