-- The provider's products that a coupon which was made there is good for; empty for all.
alter table coupon add column products jsonb not null default '[]';
