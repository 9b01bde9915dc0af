-- What two parties agreed on. Never changed, never deleted: an amendment is a contract that
-- supersedes. A customer's contracts are a chain over digests, described in docs/contracts.md.
create table contract (
  id text primary key,
  customer_id text not null references customer,
  sequence integer not null check (sequence > 0),
  subscription_id text not null,
  plan_version_id text not null references plan_version,
  supersedes text unique references contract,
  -- The canonical JSON of the whole contract, and its SHA-256. What stands beside it in columns is for
  -- finding it; the text is what counts.
  document text not null,
  hash bytea not null check (length(hash) = 32),
  previous_hash bytea,
  accepted_at timestamptz not null,
  concluded_at timestamptz not null,
  -- Two at once never fork a customer's chain: one of them has this number, and this link, first.
  unique (customer_id, sequence),
  unique nulls not distinct (customer_id, previous_hash),
  unique (customer_id, hash),
  foreign key (customer_id, previous_hash) references contract (customer_id, hash),
  check ((sequence = 1) = (previous_hash is null))
);
create index contract_subscription on contract (subscription_id);

-- How a contract was accepted, and by whom. Written when it is asked for, before there is a contract.
-- `person` is personal data with the salt of its digest: erased, only the digest is left, and nobody
-- can guess his way back from that.
create table contract_acceptance (
  contract_id text primary key,
  customer_id text not null references customer,
  accepted_at timestamptz not null,
  -- The text that was accepted; null where the seller names none.
  terms_version text,
  terms_url text,
  person jsonb,
  erased_at timestamptz,
  check ((person is null) = (erased_at is not null))
);
create index contract_acceptance_customer on contract_acceptance (customer_id);

create function refuse_change_of_contract() returns trigger language plpgsql as $$
begin
  raise exception 'A contract is never changed or deleted: make one that supersedes it.';
end $$;
create trigger contract_is_immutable before update or delete on contract
  for each row execute function refuse_change_of_contract();

-- A test database may be emptied as a whole, one that holds live data may not.
create function refuse_emptying_of_contracts() returns trigger language plpgsql as $$
begin
  if (select livemode from installation) then
    raise exception 'Contracts are never deleted.';
  end if;
  return null;
end $$;
create trigger contract_is_not_emptied before truncate on contract
  for each statement execute function refuse_emptying_of_contracts();
