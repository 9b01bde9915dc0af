-- What stands at the provider to be billed and is none of ours: prorations of what it bills itself, and what somebody
-- put there by hand.
create table pending_item (
  provider text not null,
  id text not null,
  customer_id text not null references customer,
  -- Null: the next invoice of whichever of the customer's subscriptions takes it.
  subscription_id text references subscription,
  -- standing: it may be billed. absent: a list did not name it. gone: it was billed or deleted, for good.
  state text not null check (state in ('standing', 'absent', 'gone')),
  -- The draft that it stands on; null while it waits for one.
  provider_invoice_id text,
  -- Null of one that was gone before it was heard of.
  content jsonb,
  primary key (customer_id, provider, id)
);
create index pending_item_standing on pending_item (customer_id) where state = 'standing';
create index pending_item_provider on pending_item (provider, id);

-- When the provider says that it was made: an invoice lists the newest first. Null of one that was made before this was kept.
alter table invoice_item add column made_at timestamptz;

-- What a final invoice says between its lines and what is due, as the provider writes it.
alter table invoice add column provider_sums jsonb;
update invoice set provider_sums = jsonb_build_object(
  'discounts', coalesce((
    select jsonb_agg(jsonb_build_object('discount', coalesce(one #>> '{discount,id}', one ->> 'discount'), 'amount', one -> 'amount'))
    from jsonb_array_elements(case jsonb_typeof(seen.raw -> 'total_discount_amounts')
      when 'array' then seen.raw -> 'total_discount_amounts' else '[]' end) one), '[]'),
  'taxes', coalesce((
    select jsonb_agg(jsonb_build_object('rate', one #> '{tax_rate_details,tax_rate}', 'amount', one -> 'amount',
      'inclusive', one ->> 'tax_behavior' = 'inclusive', 'taxable', one -> 'taxable_amount'))
    from jsonb_array_elements(case jsonb_typeof(seen.raw -> 'total_taxes')
      when 'array' then seen.raw -> 'total_taxes' else '[]' end) one), '[]'),
  'withoutTax', seen.raw -> 'total_excluding_tax',
  'startingBalance', coalesce(seen.raw -> 'starting_balance', '0'),
  'endingBalance', seen.raw -> 'ending_balance')
from provider_object seen
where seen.provider = 'stripe' and seen.type = 'invoice' and seen.id = invoice.provider_invoice_id
  and invoice.finalized_at is not null;
