-- A change that somebody planned at the provider, by a schedule of their own: it is followed, and the schedule is theirs.
alter table plan_change add column origin text not null default 'here' check (origin in ('here', 'provider'));
-- Why what a schedule of the provider's is going to do cannot be said here; null where there is nothing of the kind.
alter table subscription add column unread_schedule text;
