-- An observation: whatever was asked for before it does not know yet why it is to be asked for again.
alter table provider_usage_reading add column asked_since bigint not null default 0;
