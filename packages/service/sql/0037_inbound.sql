-- What was made at the provider and taken up here. The catalogue neither archives nor changes it until it names it.
alter table product add column origin text not null default 'catalog' check (origin in ('catalog', 'provider'));
alter table plan add column origin text not null default 'catalog' check (origin in ('catalog', 'provider'));

-- When the provider was seen to have deleted the customer: nothing can be charged until it is linked again.
alter table customer add column deleted_at_provider timestamptz;
