-- Of a billed item: what discounts took off it; of one that gives back, what they had taken off what it takes back,
-- in the minor unit. So what a line was billed for is known before discounts and after them.
alter table invoice_item add column discounted bigint not null default 0 check (discounted >= 0);
