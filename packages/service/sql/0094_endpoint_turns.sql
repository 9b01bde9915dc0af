-- Endpoints take turns: the one that has waited longest is next.
alter table webhook_endpoint add column last_turn_at timestamptz;
