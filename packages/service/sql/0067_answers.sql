-- An answer is sealed: it cannot be made smaller, so nobody tries, and stands with its key where it fits into a page.
alter table idempotency_key alter column response set storage external;
alter table idempotency_key set (toast_tuple_target = 8160);
