-- Several runs may send one attempt under one key. How often it was sent after its first time, and when last: what a
-- look did not find holds only as long as nobody has sent it since. Rows that are there need no look to fulfil the check.
alter table operation
  add column repeats integer not null default 0,
  add column repeated_at timestamptz,
  add constraint operation_repeated check ((repeats > 0) = (repeated_at is not null)) not valid;
