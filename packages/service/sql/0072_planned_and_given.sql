-- A change that somebody planned at the provider, by a schedule of their own: it is followed, and the schedule is theirs.
alter table plan_change add column origin text not null default 'here' check (origin in ('here', 'provider'));
-- Why what a schedule of the provider's is going to do cannot be said here; null where there is nothing of the kind.
alter table subscription add column unread_schedule text;

-- A coupon that was made at the provider is not the catalogue's to archive.
alter table coupon add column origin text not null default 'catalog' check (origin in ('catalog', 'provider'));
-- How a coupon is claimed on the provider's pages.
create table promotion_code (
  provider text not null,
  id text not null,
  coupon_key text not null references coupon,
  code text not null,
  is_active boolean not null,
  seen_at timestamptz not null,
  primary key (provider, id)
);
create index promotion_code_coupon on promotion_code (coupon_key);
