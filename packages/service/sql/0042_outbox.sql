-- Where an application wants to be told what became of its customers: our own signed webhooks.
create table webhook_endpoint (
  id text primary key,
  url text not null,
  description text,
  -- The kinds of events it wants; null for all, also those that come with a later version.
  types text[],
  -- Newest first, each sealed with LOCKSTEP_SECRETS: [{"sealed": "…", "until": null or seconds since 1970}].
  secrets jsonb not null,
  state text not null default 'enabled' check (state in ('enabled', 'disabled')),
  disabled_because text check (disabled_because in ('asked', 'failing', 'gone')),
  disabled_at timestamptz,
  -- Since when nothing that was sent there was taken; null while it takes what it gets.
  failing_since timestamptz,
  -- Who sends there, and until when at most, by the database's clock. One at a time, so that order is kept.
  claimed_by text,
  claimed_until timestamptz,
  created_at timestamptz not null,
  check ((state = 'disabled') = (disabled_at is not null)),
  check ((state = 'disabled') = (disabled_because is not null))
);

-- A row changed in a way that somebody may want to be told of. Written by the triggers below, in the
-- transaction that changes it; core says what it means, and then the row goes.
create table outgoing_change (
  sequence bigint generated always as identity primary key,
  -- The table, and the id of what changed there.
  source text not null,
  subject text not null,
  -- The row before and after, without what says who somebody is; null where it is new, or gone.
  before jsonb,
  after jsonb,
  -- In the customer's own time: the test clock's, or the database's, as a workflow's end.
  changed_at timestamptz not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz
);
create index outgoing_change_subject on outgoing_change (source, subject, sequence);

-- What is told, once for all who are told.
create table outgoing_event (
  id text primary key,
  -- The order of what happened to one object; between objects, the order in which it was seen.
  sequence bigint generated always as identity unique,
  type text not null,
  subject_id text not null,
  customer_id text,
  happened_at timestamptz not null,
  -- The object as the API shows it, as it stood when it happened.
  data jsonb not null,
  created_at timestamptz not null
);
create index outgoing_event_created on outgoing_event (created_at);
create index outgoing_event_customer on outgoing_event (customer_id) where customer_id is not null;

-- An event for an endpoint.
create table delivery (
  id text primary key,
  endpoint_id text not null references webhook_endpoint on delete cascade,
  event_id text not null references outgoing_event on delete cascade,
  -- Of the event, to send in order by one index.
  sequence bigint not null,
  subject_id text not null,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
  -- Since it was queued, or last replayed.
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  last_status integer,
  delivered_at timestamptz,
  created_at timestamptz not null,
  unique (endpoint_id, event_id),
  check ((state = 'delivered') = (delivered_at is not null))
);
create index delivery_waiting on delivery (endpoint_id, sequence) where state = 'waiting';
create index delivery_waiting_subject on delivery (endpoint_id, subject_id, sequence) where state = 'waiting';
create index delivery_event on delivery (event_id);

-- Each time it was sent, with what came back.
create table delivery_attempt (
  delivery_id text not null references delivery on delete cascade,
  ordinal integer not null,
  at timestamptz not null,
  -- Null: no answer came, and `problem` says why.
  status integer,
  body text,
  problem text,
  duration_ms integer not null,
  primary key (delivery_id, ordinal)
);

-- Notes a change. Its argument is the column that names the object. Without an endpoint nobody is told, and
-- nothing is kept.
create function note_change() returns trigger language plpgsql as $$
declare
  -- Names, addresses and what was asked stay where they can be erased.
  personal constant text[] := array['name', 'email', 'input'];
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
        where c.id = either ->> 'customer_id'),
      clock_timestamp()));
  return null;
end $$;

-- What only the provider's event says: an attempt to collect failed, a trial is about to end.
create function note_word() returns trigger language plpgsql as $$
begin
  if not exists (select from webhook_endpoint) then
    return null;
  end if;
  insert into outgoing_change (source, subject, after, changed_at)
  values (tg_table_name, new.object_id, jsonb_build_object('type', new.type), new.created);
  return null;
end $$;

create trigger customer_added after insert on customer
  for each row execute function note_change('id');
create trigger customer_changed after update on customer_profile
  for each row when (old.* is distinct from new.*) execute function note_change('customer_id');
create trigger customer_erased after delete on customer_profile
  for each row execute function note_change('customer_id');

create trigger workflow_turned after update of state on workflow
  for each row when (old.state <> new.state and new.kind in ('register', 'change-plan')
    and new.state in ('completed', 'rolledBack', 'parked', 'requiresAction'))
  execute function note_change('id');

create trigger subscription_added after insert on subscription
  for each row execute function note_change('id');
-- Seen again as it was, only the moment of looking differs.
create trigger subscription_changed after update on subscription
  for each row when (to_jsonb(old) - 'modified_at' <> to_jsonb(new) - 'modified_at')
  execute function note_change('id');

create trigger plan_change_turned after update of state on plan_change
  for each row when (old.state <> new.state) execute function note_change('id');

create trigger invoice_turned after update of status on invoice
  for each row when (old.status <> new.status) execute function note_change('id');

create trigger refund_added after insert on refund
  for each row execute function note_change('id');
create trigger refund_turned after update of status on refund
  for each row when (old.status <> new.status) execute function note_change('id');

create trigger credit_note_added after insert on credit_note
  for each row execute function note_change('id');
create trigger credit_note_turned after update of status on credit_note
  for each row when (old.status <> new.status) execute function note_change('id');

create trigger provider_said after update of state on provider_event
  for each row when (old.state = 'received' and new.state = 'processed' and new.type in
    ('invoice.payment_failed', 'invoice.payment_action_required', 'customer.subscription.trial_will_end'))
  execute function note_word();
