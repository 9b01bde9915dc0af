-- A contract is printed for ever as it was when it was concluded. In the first printing quantities of what is included have
-- no thousands apart; in the second they have. The document itself, and its digest, are the same in both. Whoever concludes
-- one says how it prints: a process that does not know the column prints the first way.
alter table contract
  add column printing smallint not null default 1,
  add constraint contract_printing check (printing in (1, 2)) not valid;
