-- A customer's discount for one invoice that the invoice of what is left of a subscription is about to take: it is held for that
-- one before the provider is asked, so that of several that end in the same moment one has it. While the invoice is not known to
-- be there nobody else takes it; afterwards what the invoice has of it says whether it is used up.
create table held_discount (
  provider text not null,
  id text not null,
  invoice_id text not null references invoice,
  primary key (provider, id)
);
create index held_discount_invoice on held_discount (invoice_id);
