-- How many days a payment may be overdue before access ends; without a row, as long as the provider tries.
create table grace (
  only_row boolean primary key default true check (only_row),
  days integer not null check (days >= 0)
);
