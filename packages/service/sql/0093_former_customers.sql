-- Whom the provider's customers stood for before their link was taken away: who is to be forgotten is to be forgotten
-- in what was sent about them then as well.
create table former_customer (
  provider text not null,
  provider_id text not null,
  -- As in `mapping`: a backup may not know whom it stood for.
  customer_id text not null,
  primary key (provider_id, provider, customer_id)
);
create index former_customer_of on former_customer (customer_id);

-- Those that we made and that are linked no more.
insert into former_customer (provider, provider_id, customer_id)
select distinct 'stripe', o.provider_object_id, o.subject_id from operation o
join customer c on c.id = o.subject_id
where o.kind = 'customer.create' and o.provider_object_id is not null
  and not exists (select from mapping m
    where m.provider = 'stripe' and m.entity_type = 'customer' and m.provider_id = o.provider_object_id);

create function remember_former_customer() returns trigger language plpgsql as $$
begin
  insert into former_customer (provider, provider_id, customer_id)
  values (old.provider, old.provider_id, old.entity_id) on conflict do nothing;
  return null;
end $$;

create trigger mapping_customer_gone after delete on mapping
  for each row when (old.entity_type = 'customer') execute function remember_former_customer();
