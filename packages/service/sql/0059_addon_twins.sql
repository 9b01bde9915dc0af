-- A product that was made at the provider is a plan here and an add-on too: which of the two, its subscriptions tell.
-- A price of it is one of each likewise.
alter table addon add column origin text not null default 'catalog' check (origin in ('catalog', 'provider'));

alter table mapping drop constraint mapping_entity_type_check;
alter table mapping add constraint mapping_entity_type_check check (entity_type in
  ('customer', 'product', 'plan', 'addon', 'price', 'addon_price', 'coupon', 'subscription', 'subscription_item',
   'test_clock'));
