-- What discounts took off what is billed already, as the provider's final invoices show it. Its unit of a króna and a
-- shilling is a hundredth of ours, rounded up, so that nobody gets more than was paid; that of an ariary a hundred of ours.
update invoice_item item set discounted = taken.units
from (
  select line #>> '{parent,invoice_item_details,invoice_item}' as id,
    case line ->> 'currency'
      when 'isk' then ceil(sum((part ->> 'amount')::int8) / 100)
      when 'ugx' then ceil(sum((part ->> 'amount')::int8) / 100)
      when 'mga' then sum((part ->> 'amount')::int8) * 100
      else sum((part ->> 'amount')::int8)
    end as units
  from provider_object seen
  cross join jsonb_array_elements(case jsonb_typeof(raw #> '{lines,data}') when 'array' then raw #> '{lines,data}' else '[]' end) line
  cross join jsonb_array_elements(case jsonb_typeof(line -> 'discount_amounts') when 'array' then line -> 'discount_amounts' else '[]' end) part
  where seen.provider = 'stripe' and seen.type = 'invoice' and raw ->> 'status' <> 'draft'
  group by 1, line ->> 'currency', seen.id
) taken
where item.provider_item_id = taken.id and item.state = 'billed' and item.amount > 0 and taken.units > 0;
