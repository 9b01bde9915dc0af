-- A contract is printed for ever as it was when it was concluded. In the first printing quantities of what is included have
-- no thousands apart; from here on they have. The document itself, and its digest, are the same in both.
alter table contract
  add column printing smallint not null default 1,
  add constraint contract_printing check (printing in (1, 2)) not valid;
alter table contract alter column printing set default 2;
