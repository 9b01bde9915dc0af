-- The provider takes so many pending items of a customer, whichever of the subscriptions they are of.
create index invoice_item_waiting on invoice_item (customer_id)
  where state in ('intended', 'placed') and provider_invoice_id is null;
