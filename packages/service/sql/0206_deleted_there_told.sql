-- That the provider has a customer no more, or again, is told too. By a name of its own: a process of before takes
-- whatever it is told of `customer` for a new one.
create function note_customer_at_provider() returns trigger language plpgsql as $$
begin
  if not exists (select from webhook_endpoint) then
    return null;
  end if;
  insert into outgoing_change (source, subject, after, changed_at)
  values (
    'customer_at_provider', new.id,
    jsonb_build_object('deletedAt', floor(extract(epoch from new.deleted_at_provider))::bigint),
    coalesce((select frozen_at from test_clock where id = new.test_clock_id), clock_timestamp()));
  return null;
end $$;

create trigger customer_at_provider after update of deleted_at_provider on customer
  for each row when ((old.deleted_at_provider is null) <> (new.deleted_at_provider is null))
  execute function note_customer_at_provider();

-- As before, and a customer's own row is of that customer: who is new on a test clock is so in its time.
create or replace function note_change() returns trigger language plpgsql as $$
declare
  -- Names, addresses and what was asked stay where they can be erased.
  personal constant text[] := array['name', 'email', 'address', 'input'];
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - personal end;
  is_now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - personal end;
  either jsonb := coalesce(is_now, was);
begin
  if not exists (select from webhook_endpoint) then
    return null;
  end if;
  insert into outgoing_change (source, subject, before, after, changed_at)
  values (
    tg_table_name, either ->> tg_argv[0], was, is_now,
    coalesce(
      (select t.frozen_at from customer c join test_clock t on t.id = c.test_clock_id
        where c.id = either ->> case tg_table_name when 'customer' then 'id' else 'customer_id' end),
      clock_timestamp()));
  return null;
end $$;
