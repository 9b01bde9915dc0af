-- Who asked: the caller's id, as of a change or a deed. Null where nobody asked us (a message of the bus, the end of a
-- trial, a sweep), and of what was asked before this was kept.
alter table registration add column requested_by text;
