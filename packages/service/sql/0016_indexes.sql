-- What is asked on every look at the figures, or by a person, must not read everything that ever was.

-- Messages whose registration is under way, and the sign-ups of the last hour.
create index bus_message_registering on bus_message (registration_id) where state = 'received' and outcome is not null;
create index bus_message_signed_up on bus_message (processed_at) where state = 'processed' and registration_id is not null;
-- Profiles that were not used: an erased user's are forgotten.
create index bus_message_profile on bus_message ((content ->> 'externalId')) where content is not null;

-- Registrations by state. Of most there is little to ask: they are completed.
create index workflow_not_completed on workflow (state, kind, subject_id) where state <> 'completed';

-- Customers by their address.
create index customer_profile_email on customer_profile (lower(email)) where email is not null;

-- Calls of one step, whose ids begin alike: an index by the database's language cannot find those.
create index operation_step on operation (id text_pattern_ops);
create index operation_subject on operation (subject_id);
