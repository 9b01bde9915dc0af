-- A call was refused after a send of it of which no answer came: what it says may have been done by that one. Told again
-- to end a subscription that has ended, the provider refuses.
alter table operation
  add column in_doubt boolean not null default false;
