-- What comes is compressed twice, as an event and as the state of its object. Where the server was built with lz4, that costs
-- less; where it was not, it says so, and all stays as it is. What is stored already is not touched.
do $$ begin
  alter table provider_event alter payload set compression lz4;
  alter table provider_object alter raw set compression lz4;
exception when feature_not_supported then
  null;
end $$;
