-- What a customer's usage may come to in a period, or where it shall be told of. Its content never changes: a
-- new one takes the place of the one before, which stays for the record.
create table spend_limit (
  id text primary key,
  customer_id text not null references customer,
  -- Whose wish it is; each side changes its own.
  owner text not null check (owner in ('customer', 'operator')),
  -- Null: what all usage costs is limited, in a currency.
  meter_key text references meter,
  currency text,
  -- Whole numbers of the currency's minor unit, or of 1e-9 of the meter's unit; alerts as a list of decimal texts.
  cap numeric(38) check (cap > 0),
  alerts jsonb not null,
  alert_percents jsonb not null,
  made_by text not null,
  made_at timestamptz not null,
  ended_by text,
  ended_at timestamptz,
  check ((meter_key is null) = (currency is not null)),
  check (num_nulls(ended_by, ended_at) in (0, 2))
);
-- One of each kind and side holds.
create unique index spend_limit_holding on spend_limit (customer_id, owner, meter_key)
  nulls not distinct where ended_at is null;
create index spend_limit_customer on spend_limit (customer_id, id);

-- A figure was reached in a period, and is told of. Once: usage that goes down and up again, or a limit that is set
-- again, does not reach the same figure twice.
create table spend_alert (
  id text primary key,
  customer_id text not null references customer,
  limit_id text not null references spend_limit,
  invoice_id text not null references invoice,
  owner text not null,
  meter_key text,
  kind text not null check (kind in ('alert', 'cap')),
  -- The figure, and what usage had come to when it was seen; as `cap` above.
  at numeric(38) not null,
  spent numeric(38) not null,
  reached_at timestamptz not null,
  unique nulls not distinct (invoice_id, owner, meter_key, kind, at)
);
create index spend_alert_customer on spend_alert (customer_id, id);

create trigger spend_alert_added after insert on spend_alert
  for each row execute function note_change('id');

-- Its usage was held against the customer's limits, and is the same since. Of a customer without limits never.
alter table invoice add column limits_checked boolean not null default false;
create index invoice_limits_unchecked on invoice (customer_id)
  where finalized_at is null and plan_version_id is not null and not limits_checked;

-- Whatever has to be told to the provider has to be held against the limits as well.
create function check_limits_again() returns trigger language plpgsql as $$
begin
  new.limits_checked := false;
  return new;
end $$;
create trigger invoice_dirtied before update of dirty on invoice
  for each row when (new.dirty and new.limits_checked) execute function check_limits_again();
