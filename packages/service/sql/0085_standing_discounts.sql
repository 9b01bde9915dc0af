-- The provider's products that a discount is good for: empty for all, null where nobody asked so far.
alter table provider_discount add column products jsonb;
