-- Several runs may send one attempt under one key. Of how many of those sends nobody waits for an answer any more: while
-- that is less than were sent, one is on its way still, or its process died. Rows that are there say of none that it is over.
alter table operation
  add column answered integer not null default 0,
  add constraint operation_answered check (answered >= 0) not valid;

-- It is of the last attempt; a process that does not know the column begins attempts as well.
create function count_answers_anew() returns trigger language plpgsql as $$
begin
  new.answered := 0;
  return new;
end $$;
create trigger operation_begun_anew before update of attempt on operation
  for each row when (new.attempt <> old.attempt) execute function count_answers_anew();
