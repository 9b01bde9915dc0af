-- How a customer of the provider's and one of ours came together before their link was taken away: linked again, they are
-- called as before. Null: taken away before this was written down.
alter table former_customer add column origin text;

create or replace function remember_former_customer() returns trigger language plpgsql as $$
begin
  insert into former_customer (provider, provider_id, customer_id, origin)
  values (old.provider, old.provider_id, old.entity_id, old.origin)
  on conflict (provider_id, provider, customer_id) do update set origin = excluded.origin;
  return null;
end $$;
