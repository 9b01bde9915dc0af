-- An event is looked at again by a retry or a replay, and the application told of it once all the same.
alter table provider_event add told boolean not null default false;

update provider_event set told = true where state = 'processed' and type in
  ('invoice.payment_failed', 'invoice.payment_action_required', 'customer.subscription.trial_will_end');

create function mark_told() returns trigger language plpgsql as $$
begin
  new.told := true;
  return new;
end $$;

drop trigger provider_said on provider_event;
create trigger provider_said_first before update of state on provider_event
  for each row when (old.state = 'received' and new.state = 'processed' and not old.told and new.type in
    ('invoice.payment_failed', 'invoice.payment_action_required', 'customer.subscription.trial_will_end'))
  execute function mark_told();
create trigger provider_said after update of state on provider_event
  for each row when (new.told and not old.told) execute function note_word();
