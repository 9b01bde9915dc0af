-- When the provider tries to collect a final invoice next, in the customer's own time; null where it does not by itself.
alter table invoice add column next_payment_attempt_at timestamptz;

update invoice set next_payment_attempt_at = to_timestamp((seen.raw ->> 'next_payment_attempt')::bigint)
  from provider_object seen
 where seen.provider = 'stripe' and seen.type = 'invoice' and seen.id = invoice.provider_invoice_id
   and invoice.status = 'open';
