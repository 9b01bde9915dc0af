-- A registration may have to wait for the customer: for a hosted page, or for the bank's question.
alter table workflow drop constraint workflow_state_check;
alter table workflow add constraint workflow_state_check check (state in
  ('running', 'requiresAction', 'completed', 'compensating', 'rolledBack', 'parked'));
-- What the customer has to do, while the state is requiresAction: its type, address and deadline.
alter table workflow add column action jsonb;
alter table workflow add constraint workflow_action check ((state = 'requiresAction') = (action is not null));
-- Why it shall not go on. Whoever runs it sees that before the next step, and turns back.
alter table workflow add column withdrawal jsonb;
-- What it waits for happened while it ran: instead of waiting it looks once more.
alter table workflow add column woken boolean not null default false;
-- When the step named by `stage` was begun, if it was not finished.
alter table workflow add column stage_started_at timestamptz;

-- Null of steps that were recorded before this column was here.
alter table workflow_step add column started_at timestamptz;

-- How the plan is bought: the key of a purchase strategy.
alter table registration add column purchase text not null default 'membership';
-- Where the request came from, in the application's words.
alter table registration add column request_origin text;
-- Why it came to nothing; null while it runs and when it is completed.
alter table registration add column cause text check (cause in
  ('declined', 'authentication', 'abandoned', 'canceled', 'refused'));
create index registration_cause on registration (cause) where cause is not null;
