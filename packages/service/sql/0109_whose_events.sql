-- Whose an event is, or was before it was taken off: what is erased of a customer is found by it. Written once, with the
-- event: an index of the expression would read the payload again with each look at the event.
alter table provider_event add column customer_id text generated always as (
  coalesce(payload #>> '{data,object,customer}', payload #>> '{data,previous_attributes,customer}')) stored;
create index provider_event_customer on provider_event (customer_id) where customer_id is not null;

create index provider_object_customer on provider_object ((raw ->> 'customer')) where raw ->> 'customer' is not null;
